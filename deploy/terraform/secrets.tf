# Values are made here and kept in Secrets Manager. They stand in the state too, which bootstrap/ encrypts and locks away.
# The database's password is not among them: RDS makes it, keeps it and changes it.

resource "random_password" "application" {
  length  = 64
  special = false
}

resource "random_password" "redis" {
  length  = 64
  special = false # it stands in a URL
}

resource "aws_secretsmanager_secret" "application" {
  #checkov:skip=CKV2_AWS_57:A new key signs everybody out, so a person decides when; docs/runbook.md tells how
  name                    = "${var.name}/application"
  description             = "TMS_SECRET_KEY, which signs sign-ins: the same in every process"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "application" {
  secret_id     = aws_secretsmanager_secret.application.id
  secret_string = jsonencode({ TMS_SECRET_KEY = random_password.application.result })

  lifecycle {
    ignore_changes = [secret_string] # an operator may have changed it
  }
}

resource "aws_secretsmanager_secret" "redis" {
  #checkov:skip=CKV2_AWS_57:ElastiCache must learn the new token at the same time: terraform apply -replace=random_password.redis does both
  name                    = "${var.name}/redis"
  description             = "auth_token of Redis, and the URL that has it"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "redis" {
  secret_id = aws_secretsmanager_secret.redis.id
  secret_string = jsonencode({
    auth_token = random_password.redis.result
    url        = "rediss://:${random_password.redis.result}@${aws_elasticache_replication_group.main.primary_endpoint_address}:6379/0"
  })
}

locals {
  database_secret_arn = aws_db_instance.main.master_user_secret[0].secret_arn
  secret_arns = concat(
    [aws_secretsmanager_secret.application.arn, local.database_secret_arn, aws_secretsmanager_secret.redis.arn],
    aws_secretsmanager_secret.mail[*].arn,
  )
}

# Which release machines install. The pipeline moves it, and a rollback moves it back.
resource "aws_ssm_parameter" "release" {
  #checkov:skip=CKV2_AWS_34:The number of a version is no secret
  #checkov:skip=CKV_AWS_337:The number of a version is no secret
  name        = "/${var.name}/release"
  description = "Release that machines install"
  type        = "String"
  value       = var.release

  lifecycle {
    ignore_changes = [value]
  }
}
