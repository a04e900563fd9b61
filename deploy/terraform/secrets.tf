# Values are made here and kept in Secrets Manager. They stand in the state too, which bootstrap/ encrypts and locks away.
# The password of the database's master user is not among them: RDS makes it, keeps it and changes it.

resource "random_password" "application" {
  length  = 64
  special = false
}

resource "random_password" "database" {
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

# As which TMS signs in. `manage.py migrate_once` makes the role with the master's secret, and sets this password.
resource "aws_secretsmanager_secret" "database" {
  #checkov:skip=CKV2_AWS_57:PostgreSQL must learn the new password at the same time: docs/deploying.md, Secrets, has the two commands
  name                    = "${var.name}/database"
  description             = "User and password of TMS in the database"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id     = aws_secretsmanager_secret.database.id
  secret_string = jsonencode({ username = local.database_role, password = random_password.database.result })
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
  database_role     = "tms_app"
  master_secret_arn = aws_db_instance.main.master_user_secret[0].secret_arn
  secret_arns = concat(
    [aws_secretsmanager_secret.application.arn, aws_secretsmanager_secret.database.arn, aws_secretsmanager_secret.redis.arn],
    aws_secretsmanager_secret.mail[*].arn,
  )
}

# Which secret the master user has. A restored instance has another one: deploy/restore.sh writes it here, and Terraform the same
# when its state has followed.
resource "aws_ssm_parameter" "database_secret" {
  #checkov:skip=CKV2_AWS_34:The name of a secret is no secret
  #checkov:skip=CKV_AWS_337:The name of a secret is no secret
  name        = "/${var.name}/database/secret"
  description = "ARN of the secret of the database's master user"
  type        = "String"
  value       = local.master_secret_arn
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

# What a rollback goes back to, newest first. The pipeline adds a release when its checklist passed.
resource "aws_ssm_parameter" "good_releases" {
  #checkov:skip=CKV2_AWS_34:The numbers of versions are no secret
  #checkov:skip=CKV_AWS_337:The numbers of versions are no secret
  name        = "/${var.name}/releases/good"
  description = "Releases or images that passed their checklist, as a JSON list, newest first"
  type        = "String"
  value       = jsonencode([])

  lifecycle {
    ignore_changes = [value]
  }
}
