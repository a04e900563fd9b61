# Machines: nginx, supervisor, server processes and a clock on each. deploy/machine/userdata.sh installs it on a bare system.

locals {
  machine_exports = {
    AWS_REGION             = var.region
    TMS_NAME               = var.name
    TMS_RELEASES_BUCKET    = aws_s3_bucket.main["releases"].bucket
    TMS_RELEASE_PARAMETER  = aws_ssm_parameter.release.name
    TMS_GOOD_PARAMETER     = aws_ssm_parameter.good_releases.name
    TMS_APPLICATION_SECRET = aws_secretsmanager_secret.application.name
    TMS_DATABASE_SECRET    = aws_secretsmanager_secret.database.arn
    TMS_MASTER_PARAMETER   = aws_ssm_parameter.database_secret.name
    TMS_DATABASE_HOST      = aws_db_instance.main.address
    TMS_DATABASE_NAME      = local.database_name
    TMS_REDIS_SECRET       = aws_secretsmanager_secret.redis.name
    TMS_REDIS_HOST         = aws_elasticache_replication_group.main.primary_endpoint_address
    TMS_ALLOWED_HOSTS      = var.domain
    TMS_TRUSTED_PROXIES    = local.balancers
    TMS_STATIC_BUCKET      = local.static_bucket
    TMS_STATIC_URL         = local.static_url
    TMS_BACKUPS_BUCKET     = aws_s3_bucket.main["backups"].bucket
    TMS_DUMPS              = var.database.dumps
    TMS_NODES              = var.machine.nodes
    TMS_DRAIN_SPREAD_S     = local.drain_spread_s
    TMS_LIFECYCLE_HOOK     = local.drain_hook
    TMS_LAUNCH_HOOK        = local.launch_hook
    TMS_ASG                = local.group_name
    TMS_MAIL_SECRET        = one(aws_secretsmanager_secret.mail[*].name)
    TMS_SETTINGS_PARAMETER = one(aws_ssm_parameter.settings[*].name)
  }
  # Lines of an environment file, which both a shell and systemd can read. Not in the user data: a setting that changes would
  # change the launch template.
  machine_settings = merge(local.settings, {
    BACKUP_BUCKET  = aws_s3_bucket.main["backups"].bucket
    BACKUP_KMS_KEY = aws_kms_key.main.arn
  })
  machine_user_data = join("\n", concat(
    ["#!/bin/bash"],
    [for name, value in local.machine_exports : "export ${name}='${value}'" if value != null],
    [file("${path.module}/../machine/userdata.sh")],
  ))
  user_data_limit = 16384

  group_name  = "${var.name}-autoscaling-group"
  drain_hook  = "${var.name}-drain"
  launch_hook = "${var.name}-launch"

  # A machine completes both itself: userdata.sh when it is ready, deploy/machine/drain when its nodes have drained.
  # A machine that does not become ready is replaced; one that cannot drain is terminated anyway.
  boot_s = 600
  hooks = {
    (local.launch_hook) = { transition = "autoscaling:EC2_INSTANCE_LAUNCHING", heartbeat_s = local.boot_s, result = "ABANDON" }
    (local.drain_hook)  = { transition = "autoscaling:EC2_INSTANCE_TERMINATING", heartbeat_s = local.deregistration_s + 120, result = "CONTINUE" }
  }

  newest_image = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

data "aws_ssm_parameter" "newest_image" {
  count = local.on_ec2 ? 1 : 0

  name = local.newest_image
}

# The image of new machines. Terraform writes it once; later a job does each month (.github/workflows/machine-image.yml), and replaces
# the machines. So no apply changes the image by accident.
resource "aws_ssm_parameter" "machine_image" {
  #checkov:skip=CKV2_AWS_34:The id of a public image is no secret
  #checkov:skip=CKV_AWS_337:The id of a public image is no secret
  count = local.on_ec2 ? 1 : 0

  name        = "/${var.name}/machine-image"
  description = "Image of machines"
  type        = "String"
  data_type   = "aws:ec2:image"
  value       = data.aws_ssm_parameter.newest_image[0].insecure_value

  lifecycle {
    ignore_changes = [value]
  }
}

# Settings of TMS, which a machine reads when it starts and when a release is switched.
resource "aws_ssm_parameter" "settings" {
  #checkov:skip=CKV2_AWS_34:Settings contain no secrets, as variables.tf says; those are in Secrets Manager
  #checkov:skip=CKV_AWS_337:Settings contain no secrets, as variables.tf says; those are in Secrets Manager
  count = local.on_ec2 ? 1 : 0

  name        = "/${var.name}/settings"
  description = "Settings of TMS on machines, a line for each"
  type        = "String"
  value       = join("\n", [for name, value in local.machine_settings : "${name}=\"${value}\""])

  lifecycle {
    precondition {
      condition     = length(join("\n", [for name, value in local.machine_settings : "${name}=\"${value}\""])) <= 4096
      error_message = "A parameter holds 4 KB: set fewer or shorter settings."
    }
  }
}

resource "aws_iam_instance_profile" "machine" {
  count = local.on_ec2 ? 1 : 0

  name = "${var.name}-machine"
  role = aws_iam_role.main["machine"].name
}

resource "aws_launch_template" "app" {
  count = local.on_ec2 ? 1 : 0

  name_prefix            = "${var.name}-app-"
  description            = "One machine of ${var.name}"
  update_default_version = true
  # The group resolves the parameter whenever it starts a machine.
  image_id               = var.machine.image == null ? "resolve:ssm:${aws_ssm_parameter.machine_image[0].name}" : var.machine.image
  instance_type          = var.machine.type
  user_data              = base64encode(local.machine_user_data)
  vpc_security_group_ids = [aws_security_group.tier["app"].id]

  iam_instance_profile {
    arn = aws_iam_instance_profile.machine[0].arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.machine.disk_gb
      encrypted             = true
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(local.tags, { Name = "${var.name}-app-server" })
  }
  tag_specifications {
    resource_type = "volume"
    tags          = merge(local.tags, { Name = "${var.name}-app-server" })
  }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.machine_user_data) <= local.user_data_limit
      error_message = "EC2 takes 16 KB of user data: move something from userdata.sh into the release."
    }
  }
}

resource "aws_autoscaling_group" "app" {
  count = local.on_ec2 ? 1 : 0

  name                = local.group_name
  vpc_zone_identifier = [for subnet in aws_subnet.private : subnet.id]
  target_group_arns   = [aws_lb_target_group.app.arn]

  min_size                  = var.scale.least
  max_size                  = var.scale.most
  desired_capacity          = var.scale.least
  health_check_type         = "ELB"
  health_check_grace_period = local.boot_s
  default_instance_warmup   = 120
  wait_for_capacity_timeout = "20m" # a second attempt, when the first machine fails to boot
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupTerminatingInstances"]

  launch_template {
    id      = aws_launch_template.app[0].id
    version = aws_launch_template.app[0].latest_version
  }

  # A machine that fails its health check stays until its replacement is healthy: a cause that makes all of them fail at once, such
  # as a failover of the database, must not remove all machines.
  instance_maintenance_policy {
    min_healthy_percentage = 100
    max_healthy_percentage = 150
  }

  # The first machines need the hooks, too; a hook that is created after the group does not apply to them.
  dynamic "initial_lifecycle_hook" {
    for_each = local.hooks

    content {
      name                 = initial_lifecycle_hook.key
      lifecycle_transition = initial_lifecycle_hook.value.transition
      heartbeat_timeout    = initial_lifecycle_hook.value.heartbeat_s
      default_result       = initial_lifecycle_hook.value.result
    }
  }

  # No `instance_refresh` here: an apply never replaces machines. The pipeline does, with alarms that stop it (deploy/pipeline).

  dynamic "tag" {
    for_each = merge(local.tags, { Name = "${var.name}-app-instance" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity] # scaling decides

    precondition {
      condition     = local.drain_s < local.deregistration_s && local.deregistration_s < local.hooks[local.drain_hook].heartbeat_s
      error_message = "A machine must drain before the load balancer cuts its links, and both must end before the hook gives up."
    }
  }

  # The first machine already needs the permissions of its role, its secrets, its routes out, and its log groups.
  depends_on = [
    aws_cloudwatch_log_group.main,
    aws_iam_role_policy.main,
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

# The same hooks again: those of the group above are read only when it is created, and these keep them up to date.
resource "aws_autoscaling_lifecycle_hook" "main" {
  for_each = local.on_ec2 ? local.hooks : {}

  name                   = each.key
  autoscaling_group_name = aws_autoscaling_group.app[0].name
  lifecycle_transition   = each.value.transition
  heartbeat_timeout      = each.value.heartbeat_s
  default_result         = each.value.result
}

resource "aws_autoscaling_policy" "cpu" {
  count = local.on_ec2 ? 1 : 0

  name                   = "${var.name}-cpu"
  autoscaling_group_name = aws_autoscaling_group.app[0].name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = local.busy_cpu_percent

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

resource "aws_autoscaling_policy" "terminals" {
  count = local.on_ec2 ? 1 : 0

  name                   = "${var.name}-terminals"
  autoscaling_group_name = aws_autoscaling_group.app[0].name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = var.scale.terminals

    customized_metric_specification {
      metrics {
        id          = "each"
        label       = "Terminals for each machine"
        expression  = "terminals / machines"
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
        id          = "machines"
        label       = "Machines in service"
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
