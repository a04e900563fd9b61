# Configurations that must never exist, checked in the plan without an account.

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

run "production_plans" {
  command = plan

  assert {
    condition     = output.url == "https://tms.techcore-solutions.jp/" && output.terminal_url == "wss://tms.techcore-solutions.jp/ws/terminal/"
    error_message = "People and terminals must reach TMS under its domain."
  }
  assert {
    condition     = length(aws_autoscaling_group.app) == 1 && length(aws_ecs_service.role) == 0
    error_message = "Production must run on machines."
  }

  assert {
    condition     = !aws_db_instance.main.publicly_accessible
    error_message = "The database must not be public."
  }
  assert {
    condition     = aws_db_instance.main.db_subnet_group_name == "tms-db-subnet-group"
    error_message = "The database must be in the private subnets."
  }
  assert {
    condition     = aws_db_instance.main.multi_az && aws_db_instance.main.storage_encrypted
    error_message = "The database must be encrypted, and survive the loss of a zone."
  }
  assert {
    condition     = aws_wafv2_web_acl.main.name == "tms-web-acl" && aws_wafv2_web_acl_association.balancer != null
    error_message = "The WAF must be in front of the load balancer."
  }
}
