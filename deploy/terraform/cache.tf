# Redis carries the feed between processes, sessions and the cache. All of its data is also in the database.

resource "aws_elasticache_subnet_group" "main" {
  name        = "${var.name}-redis-subnet-group"
  description = "Private subnets, one per zone"
  subnet_ids  = [for subnet in aws_subnet.private : subnet.id]
}

resource "aws_elasticache_parameter_group" "main" {
  name        = "${var.name}-valkey-8"
  family      = "valkey8"
  description = "When memory is short, evicts keys with an expiry first"

  parameter {
    name  = "maxmemory-policy"
    value = "volatile-lru"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_replication_group" "main" {
  replication_group_id = "${var.name}-redis"
  description          = "Feed, sessions and cache of ${var.name}"
  engine               = "valkey" # what Redis was before it changed its licence; it speaks the same protocol
  engine_version       = "8.0"
  node_type            = var.cache_type
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.main.name

  num_cache_clusters         = length(local.cache_nodes)
  multi_az_enabled           = true
  automatic_failover_enabled = true
  auto_minor_version_upgrade = true
  maintenance_window         = var.cache_window
  snapshot_retention_limit   = 1

  subnet_group_name  = aws_elasticache_subnet_group.main.name
  security_group_ids = [aws_security_group.tier["redis"].id]

  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.main.arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = random_password.redis.result
  auth_token_update_strategy = var.cache_token_update

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.main["redis"].name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}

locals {
  # Names that ElastiCache gives to the members; it has no metrics for the whole group.
  cache_nodes = ["${var.name}-redis-001", "${var.name}-redis-002"]
}
