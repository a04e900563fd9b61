# Tasks on Fargate: the same application in containers. One image, three roles: serve, clock, migrate.

locals {
  roles = {
    serve   = { port = local.port, command = ["serve"] }
    clock   = { port = null, command = ["clock"] }
    migrate = { port = null, command = ["migrate"] }
  }
  services = local.on_ecs ? { for role in ["serve", "clock"] : role => local.roles[role] } : {}

  # After SIGTERM; the maximum of Fargate.
  stop_s = 120

  task_environment = merge(local.settings, {
    AWS_REGION               = var.region
    AWS_DEFAULT_REGION       = var.region
    TMS_PRODUCTION           = "1"
    TMS_ALLOWED_HOSTS        = var.domain
    TMS_TRUSTED_PROXIES      = local.balancers
    TMS_DATABASE_URL         = "postgres://${aws_db_instance.main.address}:5432/${local.database_name}?sslmode=require"
    TMS_DATABASE_SECRET      = aws_secretsmanager_secret.database.arn
    TMS_STATIC_URL           = local.static_url
    TMS_CLOUDWATCH_LOG_GROUP = aws_cloudwatch_log_group.main["application"].name
    TMS_CLOUDWATCH_NAMESPACE = local.metrics_namespace
  })
  task_secrets = merge(local.mail_secrets, {
    TMS_SECRET_KEY = "${aws_secretsmanager_secret.application.arn}:TMS_SECRET_KEY::"
    TMS_REDIS_URL  = "${aws_secretsmanager_secret.redis.arn}:url::"
  })
  # Only migrations use the master user: they create the role of the application.
  secrets_of_role = { for role in keys(local.roles) : role => merge(local.task_secrets, {
    for name in ["TMS_DATABASE_MASTER_SECRET"] : name => aws_ssm_parameter.database_secret.arn if role == "migrate"
  }) }
}

resource "aws_ecs_cluster" "main" {
  count = local.on_ecs ? 1 : 0

  name = "${var.name}-cluster"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "role" {
  for_each = local.on_ecs ? local.roles : {}

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task.cpu
  memory                   = var.task.memory
  execution_role_arn       = aws_iam_role.main["execution"].arn
  task_role_arn            = aws_iam_role.main[each.key == "migrate" ? "migrate" : "task"].arn
  skip_destroy             = true # a rollback needs the one before

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  # The only writable directory.
  volume {
    name = "tmp"
  }

  lifecycle {
    precondition {
      condition     = local.drain_s < local.stop_s
      error_message = "A task must drain before Fargate kills it: the spread must be shorter."
    }
  }

  container_definitions = jsonencode([{
    name                   = "app"
    image                  = var.image
    command                = each.value.command
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = local.stop_s
    linuxParameters        = { initProcessEnabled = true }
    healthCheck = each.value.port == null ? null : {
      command = ["CMD", "deploy/image/entrypoint", "health"], interval = 10, timeout = 6, retries = 3, startPeriod = 60
    }
    mountPoints  = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    portMappings = [for port in compact([each.value.port]) : { containerPort = tonumber(port), protocol = "tcp" }]
    ulimits      = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    environment  = [for name, value in local.task_environment : { name = name, value = value }]
    secrets      = [for name, arn in local.secrets_of_role[each.key] : { name = name, valueFrom = arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.main["ecs"].name
        awslogs-region        = var.region
        awslogs-stream-prefix = each.key
      }
    }
  }])
}

resource "aws_ecs_service" "role" {
  for_each = local.services

  name             = "${var.name}-${each.key}"
  cluster          = aws_ecs_cluster.main[0].id
  task_definition  = aws_ecs_task_definition.role[each.key].arn
  launch_type      = "FARGATE"
  platform_version = "LATEST"
  desired_count    = var.scale.least # of clocks one leads, and another takes over
  propagate_tags   = "SERVICE"

  # A new task is healthy before an old one stops; if none becomes healthy, the previous definition is restored.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  health_check_grace_period_seconds  = each.value.port == null ? null : 300
  wait_for_steady_state              = false # the first tasks are healthy once the pipeline has created the tables

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # A release that starts well and then fails.
  alarms {
    alarm_names = [for alarm in local.release_guards : aws_cloudwatch_metric_alarm.main[alarm].alarm_name]
    enable      = true
    rollback    = true
  }

  network_configuration {
    subnets          = [for subnet in aws_subnet.private : subnet.id]
    security_groups  = [aws_security_group.tier["app"].id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = each.value.port == null ? [] : [each.value.port]

    content {
      target_group_arn = aws_lb_target_group.app.arn
      container_name   = "app"
      container_port   = load_balancer.value
    }
  }

  lifecycle {
    # Scaling decides on the number. The pipeline decides which image runs: it takes the newest definition of the family, sets
    # the digest, and updates the service. Changes here therefore take effect with the next deployment.
    ignore_changes = [desired_count, task_definition]
  }

  # The first task already needs all of these.
  depends_on = [
    aws_iam_role_policy.main,
    aws_lb_listener.https,
    aws_route.outbound,
    aws_route_table_association.private,
    aws_secretsmanager_secret_version.application,
    aws_secretsmanager_secret_version.database,
    aws_secretsmanager_secret_version.redis,
    aws_vpc_endpoint.service,
    aws_vpc_security_group_egress_rule.flow,
    aws_vpc_security_group_egress_rule.outbound,
    aws_vpc_security_group_ingress_rule.flow,
  ]
}

resource "aws_appautoscaling_target" "serve" {
  count = local.on_ecs ? 1 : 0

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.main[0].name}/${aws_ecs_service.role["serve"].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.scale.least
  max_capacity       = var.scale.most
}

resource "aws_appautoscaling_policy" "cpu" {
  count = local.on_ecs ? 1 : 0

  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.serve[0].service_namespace
  resource_id        = aws_appautoscaling_target.serve[0].resource_id
  scalable_dimension = aws_appautoscaling_target.serve[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = local.busy_cpu_percent

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "terminals" {
  count = local.on_ecs ? 1 : 0

  name               = "${var.name}-terminals"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.serve[0].service_namespace
  resource_id        = aws_appautoscaling_target.serve[0].resource_id
  scalable_dimension = aws_appautoscaling_target.serve[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = var.scale.terminals

    customized_metric_specification {
      metrics {
        id          = "each"
        label       = "Terminals for each task"
        expression  = "terminals / tasks"
        return_data = true
      }
      metrics {
        id          = "terminals"
        label       = "Terminals online"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = local.metrics_namespace
            metric_name = "ActiveTerminals"
          }
        }
      }
      metrics {
        id          = "tasks"
        label       = "Tasks that run"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = local.runners.namespace
            metric_name = local.runners.metric

            dynamic "dimensions" {
              for_each = local.runners.dimensions

              content {
                name  = dimensions.key
                value = dimensions.value
              }
            }
          }
        }
      }
    }
  }
}
