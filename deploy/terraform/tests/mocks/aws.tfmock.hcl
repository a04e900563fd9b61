# What AWS would say, where the configuration or a real provider looks closely. Everything else is invented.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_route53_zone" {
  defaults = { zone_id = "Z0123456789ABCDEFGHIJ" }
}

mock_data "aws_secretsmanager_secret_version" {
  defaults = { secret_string = "p@ss word/1" }
}

mock_data "aws_ssm_parameter" {
  defaults = { insecure_value = "ami-0123456789abcdef0" }
}

mock_data "aws_cloudfront_cache_policy" {
  defaults = { id = "658327ea-f89d-4fab-a63d-7e88639e58f6" }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    domain_validation_options = [{
      domain_name           = "tms.techcore-solutions.jp"
      resource_record_name  = "_0123.tms.techcore-solutions.jp."
      resource_record_type  = "CNAME"
      resource_record_value = "_4567.acm-validations.aws."
    }]
  }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = {
    certificate_arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
  }
}

mock_resource "aws_backup_vault" {
  defaults = { arn = "arn:aws:backup:ap-northeast-1:123456789012:backup-vault:tms-vault" }
}

mock_resource "aws_cloudfront_distribution" {
  defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/E0123456789ABC" }
}

mock_resource "aws_cloudwatch_composite_alarm" {
  defaults = { arn = "arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:tms-down" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:ap-northeast-1:123456789012:log-group:tms-invented" }
}

mock_resource "aws_db_instance" {
  defaults = {
    arn     = "arn:aws:rds:ap-northeast-1:123456789012:db:tms-database"
    address = "tms-database.invented.ap-northeast-1.rds.amazonaws.com"
    master_user_secret = [{
      secret_arn    = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:rds!db-invented"
      secret_status = "active"
      kms_key_id    = "arn:aws:kms:ap-northeast-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    }]
  }
}

mock_resource "aws_ecr_repository" {
  defaults = { arn = "arn:aws:ecr:ap-northeast-1:123456789012:repository/tms" }
}

mock_resource "aws_iam_instance_profile" {
  defaults = { arn = "arn:aws:iam::123456789012:instance-profile/tms-machine" }
}

mock_data "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/tms-invented" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:ap-northeast-1:123456789012:key/12345678-1234-1234-1234-123456789012" }
}

mock_resource "aws_launch_template" {
  defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
}

mock_resource "aws_lb" {
  defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/tms-application-lb/0123456789abcdef" }
}

mock_resource "aws_lb_listener" {
  defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:listener/app/tms-application-lb/0123456789abcdef/0123456789abcdef" }
}

mock_resource "aws_lb_target_group" {
  defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/tms-target-group/0123456789abcdef" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::tms-123456789012-invented" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:tms/invented-AbCdEf" }
}

mock_resource "aws_sesv2_email_identity" {
  defaults = {
    arn                     = "arn:aws:ses:ap-northeast-1:123456789012:identity/techcore-solutions.jp"
    dkim_signing_attributes = { tokens = ["one", "two", "three"] }
  }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:ap-northeast-1:123456789012:tms-alerts" }
}

mock_resource "aws_ssm_document" {
  defaults = { arn = "arn:aws:ssm:ap-northeast-1:123456789012:document/tms-invented" }
}

mock_resource "aws_ssm_parameter" {
  defaults = { arn = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/tms/release" }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/tms-web-acl/12345678-1234-1234-1234-123456789012" }
}

mock_resource "aws_wafv2_ip_set" {
  defaults = { arn = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/ipset/tms-known-addresses/12345678-1234-1234-1234-123456789012" }
}
