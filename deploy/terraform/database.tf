locals {
  # Each process has a pool, and a server process one connection more for itself.
  database_pool      = tonumber(lookup(var.settings, "TMS_DATABASE_POOL", 10))
  connections_of_one = local.on_ec2 ? var.machine.nodes * (local.database_pool + 1) + local.database_pool : local.database_pool + 1
  connections_needed = ceil(1.5 * var.scale.most * local.connections_of_one)

  database_name       = "tms_production"
  database_identifier = coalesce(var.database.identifier, "${var.name}-database")

  database_parameters = {
    "rds.force_ssl"                       = "1"
    "max_connections"                     = var.database.connections
    "shared_preload_libraries"            = "pg_stat_statements"
    "log_min_duration_statement"          = "1000"
    "log_lock_waits"                      = "1"
    "idle_in_transaction_session_timeout" = "60000"
  }
}

resource "aws_db_subnet_group" "main" {
  name        = "${var.name}-db-subnet-group"
  description = "Private subnets, one per zone"
  subnet_ids  = [for subnet in aws_subnet.private : subnet.id]
}

resource "aws_db_parameter_group" "main" {
  name        = "${var.name}-postgresql-17"
  family      = "postgres17"
  description = "TLS only, slow statements logged, and the number of connections on which the alarm is based"

  dynamic "parameter" {
    for_each = local.database_parameters

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.database.connections >= local.connections_needed
      error_message = "database.connections must be at least ${local.connections_needed}: half as many again as scale.most machines or tasks use, because a rollout runs that many."
    }
  }
}

# A second environment of the same name leaves its own final snapshot.
resource "random_id" "final_snapshot" {
  byte_length = 3
}

resource "aws_db_instance" "main" {
  #checkov:skip=CKV_AWS_133:backup_retention_period is 7 days or more, as variables.tf demands; checkov cannot look into an optional field
  #checkov:skip=CKV2_AWS_69:rds.force_ssl is 1 in local.database_parameters; checkov cannot look into a dynamic block
  #checkov:skip=CKV_AWS_161:The password is managed in Secrets Manager, and RDS rotates it; a second way to sign in would have to be secured, too
  identifier                 = local.database_identifier
  engine                     = "postgres"
  engine_version             = "17"
  auto_minor_version_upgrade = true
  instance_class             = var.database.class
  parameter_group_name       = aws_db_parameter_group.main.name
  ca_cert_identifier         = "rds-ca-rsa2048-g1"

  allocated_storage     = var.database.storage_gb
  max_allocated_storage = var.database.storage_most_gb
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.main.arn

  db_name                       = local.database_name
  username                      = "tms_admin"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.main.arn

  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.tier["db"].id]
  publicly_accessible    = false
  multi_az               = true

  backup_retention_period   = var.database.backup_days
  backup_window             = var.database.backup_window
  maintenance_window        = var.database.maintenance_window
  copy_tags_to_snapshot     = true
  deletion_protection       = var.protected
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-database-final-${random_id.final_snapshot.hex}"

  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.main["monitoring"].arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.main.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  tags = { Name = "${var.name}-production-db" }

  # RDS would create its log groups itself, without an expiry.
  depends_on = [aws_cloudwatch_log_group.database]
}
