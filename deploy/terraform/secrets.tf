# Values are generated here and stored in Secrets Manager. They are also in the state, which bootstrap/ encrypts and protects.
# The password of the database's master user is not among them: RDS generates, stores and rotates it.

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
  #checkov:skip=CKV2_AWS_57:A new key signs everybody out, so it is changed manually; docs/deploying.md, Secrets, describes how
  name                    = "${var.name}/application"
  description             = "TMS_SECRET_KEY, which signs sessions: the same in every process"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "application" {
  secret_id     = aws_secretsmanager_secret.application.id
  secret_string = jsonencode({ TMS_SECRET_KEY = random_password.application.result })

  lifecycle {
    ignore_changes = [secret_string] # an operator may have changed it
  }
}

# The role that TMS uses. `manage.py migrate_once` creates it with the master's secret, and sets this password.
resource "aws_secretsmanager_secret" "database" {
  #checkov:skip=CKV2_AWS_57:The new password must be set in PostgreSQL at the same time: docs/deploying.md, Secrets, has the two commands
  name                    = "${var.name}/database"
  description             = "User and password of TMS in the database"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id     = aws_secretsmanager_secret.database.id
  secret_string = jsonencode({ username = local.database_role, password = random_password.database.result })
}

resource "aws_secretsmanager_secret" "redis" {
  #checkov:skip=CKV2_AWS_57:The new token must be set in ElastiCache at the same time: deploy/terraform/tf apply -replace=random_password.redis does both
  name                    = "${var.name}/redis"
  description             = "auth_token of Redis, and the URL that contains it"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = var.protected ? 30 : 0
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

# The secret of the master user. A restored instance has another one: deploy/restore.sh writes it here, and so does Terraform
# after its state has been updated.
resource "aws_ssm_parameter" "database_secret" {
  #checkov:skip=CKV2_AWS_34:The name of a secret is no secret
  #checkov:skip=CKV_AWS_337:The name of a secret is no secret
  name        = "/${var.name}/database/secret"
  description = "ARN of the secret of the database's master user"
  type        = "String"
  value       = local.master_secret_arn
}

# The release that machines install. The pipeline and rollbacks change it.
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

# Releases to which a rollback may return, newest first. The pipeline adds a release when its checklist has passed.
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
