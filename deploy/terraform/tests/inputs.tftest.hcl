# Invalid values that would otherwise fail only after half an hour of apply, or never; and valid alternatives.

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
}

run "values_that_cannot_be" {
  command = plan

  variables {
    name         = "TMS"
    domain       = "https://tms.techcore-solutions.jp"
    compute      = "lambda"
    release      = "v1"
    machine      = { nodes = 0, image = "al2023" }
    scale        = { least = 1 }
    network      = { zones = ["ap-northeast-1a"] }
    database     = { backup_days = 1 }
    log_days     = 1
    alarm_emails = []
    on_call      = [{ protocol = "sms", endpoint = "090-1234-5678" }]
    settings     = { TMS_NOPE = "1", TMS_PUBLIC_URL = "http://tms", TMS_TIME_ZONE = "'", TMS_PING_INTERVAL_S = "100" }

    terminals_per_address = 1
    people_rate_limit     = 1
    known_addresses       = ["0.0.0.0/0"]
    backup_copy_vault     = "tms-vault"
    notify_topics         = [{ arn = "tms-alerts" }]
    repository            = "https://github.com/techcore/tms.git"
  }

  expect_failures = [
    var.name,
    var.domain,
    var.compute,
    var.release,
    var.machine,
    var.scale,
    var.network,
    var.database,
    var.log_days,
    var.alarm_emails,
    var.on_call,
    var.settings,
    var.terminals_per_address,
    var.people_rate_limit,
    var.known_addresses,
    var.backup_copy_vault,
    var.notify_topics,
    var.repository,
  ]
}

run "values_that_do_not_fit_each_other" {
  command = plan

  variables {
    zone     = "example.com"
    compute  = "ecs"
    image    = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/tms:latest"
    database = { maintenance_window = "sun:15:30-sun:16:30" } # keeps AWS Backup from starting
  }

  expect_failures = [var.zone, var.image, var.database]
}

run "mail_that_cannot_be_signed_nobody_on_call_and_a_window_that_begins_too_early" {
  command = plan

  variables {
    mail     = { ses = true, from = "TMS <tms@example.com>" } # of another zone
    on_call  = [{ protocol = "email", endpoint = "noc@techcore-solutions.jp" }]
    database = { backup_window = "16:30-00:30" } # ends after midnight
  }

  expect_failures = [var.mail, var.on_call, var.database]
}

run "aws_lets_no_mail_out_to_port_25" {
  command = plan

  variables {
    mail = { from = "tms@example.com", host = "smtp.example.com", port = 25 }
  }

  expect_failures = [var.mail]
}

run "fewer_connections_than_a_rollout_uses_are_refused" {
  command = plan

  variables {
    scale    = { most = 10 }
    database = { connections = 400 }
  }

  expect_failures = [aws_db_parameter_group.main]
}

run "valid_alternatives" {
  command = plan

  variables {
    on_call     = []
    page_nobody = true
    cdn         = false
    machine     = { image = "ami-0fedcba9876543210" }
    database    = { identifier = "tms-database-restored", dumps = "weekly", backup_window = "18:00-19:00", maintenance_window = "sat:23:30-sun:00:30", master_on_machines = false }
  }

  assert {
    condition     = aws_launch_template.app[0].image_id == "ami-0fedcba9876543210"
    error_message = "Machines must use the given image."
  }
  assert {
    condition     = aws_db_instance.main.identifier == "tms-database-restored" && aws_cloudwatch_log_group.database["postgresql"].name == "/aws/rds/instance/tms-database-restored/postgresql"
    error_message = "A restored instance must be able to keep its name."
  }
  assert {
    condition     = length(aws_cloudfront_distribution.static) == 0 && output.static_url == ""
    error_message = "There must be no distribution, and no URL of one."
  }
  assert {
    condition     = length(aws_sns_topic_subscription.main) == 2
    error_message = "Critical alarms must still be sent by e-mail."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.main["backup-missing"].evaluation_periods * aws_cloudwatch_metric_alarm.main["backup-missing"].period == 604800
    error_message = "The alarm on dumps must allow a week; CloudWatch evaluates no longer period."
  }
  assert {
    condition     = local.machine_exports.TMS_DUMPS == "weekly"
    error_message = "Machines must know how often to make dumps."
  }
}
