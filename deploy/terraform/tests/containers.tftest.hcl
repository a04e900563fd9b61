# The same on Fargate.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "global"
  source = "./tests/mocks"
}

mock_provider "random" {}

variables {
  on_call = [{ protocol = "sms", endpoint = "+819012345678" }]
  compute = "ecs"
  image   = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/tms@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

  settings      = { TMS_READINGS_DAYS = "30" }
  mail          = { from = "tms@example.com", host = "smtp.example.com", port = 465, user = "tms@example.com", password_secret = "mail-password" }
  notify_topics = [{ arn = "arn:aws:sns:ap-northeast-1:123456789012:on-call" }]
}

run "an_empty_account_gets_it_all" {
  assert {
    condition     = length(aws_autoscaling_group.app) == 0 && length(aws_launch_template.app) == 0
    error_message = "Containers need no machines."
  }

  # Services

  assert {
    condition     = sort([for service in aws_ecs_service.role : service.name]) == tolist(["tms-clock", "tms-serve"]) && aws_ecs_cluster.main[0].name == "tms-cluster"
    error_message = "The pipeline uses these names of the services."
  }
  assert {
    condition     = alltrue([for service in aws_ecs_service.role : service.deployment_minimum_healthy_percent == 100 && service.deployment_maximum_percent == 200 && one(service.deployment_circuit_breaker).enable && one(service.deployment_circuit_breaker).rollback])
    error_message = "A new task must be healthy before an old one stops, and a bad release must be rolled back automatically."
  }
  assert {
    condition     = alltrue([for service in aws_ecs_service.role : !one(service.network_configuration).assign_public_ip && one(service.network_configuration).security_groups == toset([aws_security_group.tier["app"].id])])
    error_message = "Tasks must not be public."
  }
  assert {
    condition     = one(aws_ecs_service.role["serve"].load_balancer).container_port == 8000 && length(aws_ecs_service.role["clock"].load_balancer) == 0
    error_message = "The load balancer must connect to port 8000 of serving tasks, and to no clock."
  }
  assert {
    condition     = aws_lb_target_group.app.target_type == "ip" && one(aws_lb_target_group.app.health_check).path == "/health/"
    error_message = "Tasks must be registered by address."
  }
  assert {
    condition     = aws_appautoscaling_target.serve[0].min_capacity == 2 && aws_appautoscaling_target.serve[0].max_capacity == 10
    error_message = "Two to ten tasks."
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.role : one(service.alarms).alarm_names == toset(["tms-no-healthy-host", "tms-reports-waiting", "tms-server-errors", "tms-silent-terminals"]) && one(service.alarms).enable && one(service.alarms).rollback])
    error_message = "Alarms that fire during a deployment must undo it."
  }

  # Tasks

  assert {
    condition     = { for role, task in aws_ecs_task_definition.role : role => jsondecode(task.container_definitions)[0].command } == { serve = ["serve"], clock = ["clock"], migrate = ["migrate"] }
    error_message = "All roles must use one image."
  }
  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.role : jsondecode(task.container_definitions)[0].readonlyRootFilesystem && strcontains(jsondecode(task.container_definitions)[0].image, "@sha256:")])
    error_message = "Tasks must run an image by its digest, with a read-only root."
  }
  assert {
    condition     = alltrue([for role, task in aws_ecs_task_definition.role : sort(jsondecode(task.container_definitions)[0].secrets[*].name) == tolist(concat(role == "migrate" ? ["TMS_DATABASE_MASTER_SECRET"] : [], ["TMS_EMAIL_URL", "TMS_REDIS_URL", "TMS_SECRET_KEY"])) && length(setintersection(jsondecode(task.container_definitions)[0].environment[*].name, ["TMS_EMAIL_URL", "TMS_REDIS_URL", "TMS_SECRET_KEY"])) == 0])
    error_message = "Secrets must be passed by reference."
  }
  assert {
    condition = alltrue([
      for task in aws_ecs_task_definition.role : length(setsubtract(
        ["TMS_READINGS_DAYS=30", "TMS_PUBLIC_URL=https://tms.techcore-solutions.jp", "TMS_CONNECTIONS_PER_ADDRESS=50000", "TMS_EMAIL_FROM=tms@example.com"],
        [for one in jsondecode(task.container_definitions)[0].environment : "${one.name}=${one.value}"],
      )) == 0
    ])
    error_message = "Settings of the tfvars, and those that follow from them, must reach tasks."
  }

  # E-mail through a mail server

  assert {
    condition     = jsondecode(aws_secretsmanager_secret_version.mail[0].secret_string).url == "smtps://tms%40example.com:p%40ss%20word%2F1@smtp.example.com:465"
    error_message = "TMS must get the address and the password of the mail server."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.mail[0].from_port == 465 && aws_vpc_security_group_egress_rule.mail[0].security_group_id == aws_security_group.tier["app"].id && length(aws_vpc_endpoint.mail) == 0
    error_message = "The port of the mail server must be open."
  }
  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.role : jsondecode(task.container_definitions)[0].stopTimeout > local.drain_s]) && local.drain_s < tonumber(aws_lb_target_group.app.deregistration_delay)
    error_message = "A task must have time to drain."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.role["serve"].container_definitions)[0].healthCheck.command == ["CMD", "deploy/image/entrypoint", "health"] && one(aws_lb_target_group.app.health_check).path == "/health/"
    error_message = "Container and load balancer must check the health of the process itself, not of the database."
  }

  # Permissions

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.main["task"].policy).Statement : statement.Resource if statement.Action == ["sns:Publish"]] == [["arn:aws:sns:ap-northeast-1:123456789012:on-call"]]
    error_message = "Tasks must be able to publish to the topics of notifications, and to no other."
  }
  assert {
    condition     = keys(aws_iam_role.main) == ["backup", "execution", "migrate", "monitoring", "network", "task"]
    error_message = "Containers must not have the role of machines."
  }
  assert {
    condition     = alltrue(flatten([for policy in concat(values(aws_iam_role_policy.main)[*].policy, [aws_iam_role_policy.deploy.policy]) : [for statement in jsondecode(policy).Statement : !anytrue([for action in statement.Action : strcontains(action, "*")])]]))
    error_message = "An action is named with a wildcard."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Condition.StringEquals["iam:PassedToService"] == "ecs-tasks.amazonaws.com" if contains(statement.Action, "iam:PassRole")])
    error_message = "The pipeline must be able to pass roles to tasks only."
  }

  assert {
    condition = [
      for role in ["task", "migrate"] : anytrue([for statement in jsondecode(aws_iam_role_policy.main[role].policy).Statement : contains(statement.Resource, aws_db_instance.main.master_user_secret[0].secret_arn)])
    ] == [false, true]
    error_message = "Only migrations may read the secret of the master user."
  }

  # Alarms

  assert {
    condition     = aws_cloudwatch_metric_alarm.main["high-cpu-usage"].namespace == "AWS/ECS" && aws_cloudwatch_metric_alarm.main["high-memory-usage"].metric_name == "MemoryUtilization"
    error_message = "The alarms on CPU and memory must be those of tasks."
  }
  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.main["too-few-running"].metric_query : "${one(query.metric).metric_name} ${one(query.metric).dimensions.ServiceName}" if query.id != "all"] == ["DesiredTaskCount tms-serve", "RunningTaskCount tms-serve", "DesiredTaskCount tms-clock", "RunningTaskCount tms-clock"]
    error_message = "Missing tasks of both services, including the clock, must fire an alarm."
  }
  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.main : length(alarm.alarm_actions) == 1 && strcontains(alarm.alarm_description, "docs/runbook.md#${name}")])
    error_message = "Every alarm must have a recipient, and link to the runbook."
  }
}
