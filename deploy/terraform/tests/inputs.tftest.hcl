# Values that would only fail after half an hour of apply, or never; and one that is a choice.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "global"
  source = "./tests/mocks"
}

mock_provider "random" {}

run "values_that_cannot_be" {
  command = plan

  variables {
    name         = "TMS"
    domain       = "https://tms.techcore-solutions.jp"
    compute      = "lambda"
    release      = "v1"
    machine      = { nodes = 0 }
    scale        = { least = 1 }
    network      = { zones = ["ap-northeast-1a"] }
    database     = { backup_days = 1 }
    log_days     = 1
    rate_limits  = { people = 2000, terminals = 100 }
    alarm_emails = []
    repository   = "https://github.com/techcore/tms.git"
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
    var.rate_limits,
    var.alarm_emails,
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

run "without_cloudfront_tms_serves_its_files_itself" {
  command = plan

  variables {
    cdn = false
  }

  assert {
    condition     = length(aws_cloudfront_distribution.static) == 0 && output.static_url == ""
    error_message = "There must be no distribution, and no address of one."
  }
}
