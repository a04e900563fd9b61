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
    zone    = "example.com"
    compute = "ecs"
    image   = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/tms:latest"
  }

  expect_failures = [var.zone, var.image]
}

run "mail_of_another_zone_cannot_be_signed" {
  command = plan

  variables {
    mail = { ses = true, from = "TMS <tms@example.com>" }
  }

  expect_failures = [var.mail]
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

run "a_window_that_keeps_aws_backup_from_starting_is_refused" {
  command = plan

  variables {
    database = { maintenance_window = "sun:15:30-sun:16:30" }
  }

  expect_failures = [var.database]
}

run "a_window_that_ends_after_midnight_and_begins_too_early_is_refused" {
  command = plan

  variables {
    database = { backup_window = "16:30-00:30" }
  }

  expect_failures = [var.database]
}

run "a_restored_instance_and_an_image_of_ones_own" {
  command = plan

  variables {
    machine  = { image = "ami-0fedcba9876543210" }
    database = { identifier = "tms-database-restored" }
  }

  assert {
    condition     = aws_launch_template.app[0].image_id == "ami-0fedcba9876543210"
    error_message = "Machines must use the given image."
  }
  assert {
    condition     = aws_db_instance.main.identifier == "tms-database-restored" && aws_cloudwatch_log_group.database["postgresql"].name == "/aws/rds/instance/tms-database-restored/postgresql"
    error_message = "A restored instance must be able to keep its name."
  }
}

run "without_cloudfront_tms_serves_its_files_itself" {
  command = plan

  variables {
    cdn = false
  }

  assert {
    condition     = length(aws_cloudfront_distribution.static) == 0 && output.static_url == ""
    error_message = "There must be no distribution, and no URL of one."
  }
}

run "nobody_on_call_is_refused" {
  command = plan

  variables {
    on_call = [{ protocol = "email", endpoint = "noc@techcore-solutions.jp" }]
  }

  expect_failures = [var.on_call]
}

run "nobody_on_call_can_be_chosen" {
  command = plan

  variables {
    on_call     = []
    page_nobody = true
    database    = { dumps = "weekly", backup_window = "18:00-19:00", maintenance_window = "sat:23:30-sun:00:30", master_on_machines = false }
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
