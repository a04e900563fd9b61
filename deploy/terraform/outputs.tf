output "url" {
  description = "URL of TMS for people."
  value       = "https://${var.domain}/"
}

output "terminal_url" {
  description = "URL to which terminals connect."
  value       = "wss://${var.domain}${local.terminal_path}"
}

output "static_url" {
  description = "URL from which browsers get static files; empty if TMS serves them itself."
  value       = local.static_url
}

output "buckets" {
  description = "Buckets by content."
  value       = { for name, bucket in aws_s3_bucket.main : name => bucket.bucket }
}

output "repository_url" {
  description = "Repository to which the pipeline pushes images."
  value       = aws_ecr_repository.app.repository_url
}

output "deploy_role_arn" {
  description = "Role of the pipeline; a variable of the GitHub environment."
  value       = aws_iam_role.deploy.arn
}

output "people_role_arns" {
  description = "Roles of people: on-call and admin."
  value       = { for name, role in aws_iam_role.person : name => role.arn }
}

output "target_group_arn" {
  description = "For the health of targets: aws elbv2 describe-target-health."
  value       = aws_lb_target_group.app.arn
}

output "topic_arns" {
  description = "Topics of the alarms, by severity."
  value       = { for severity, topic in aws_sns_topic.alerts : severity => topic.arn }
}

output "database" {
  description = "Host and name of the database, and its secrets: that of TMS, and that of the master user for people."
  value = {
    host   = aws_db_instance.main.address
    name   = local.database_name
    secret = aws_secretsmanager_secret.database.arn
    master = local.master_secret_arn
  }
}

output "redis_host" {
  description = "Host of Redis."
  value       = aws_elasticache_replication_group.main.primary_endpoint_address
}

output "dashboard_url" {
  description = "Dashboard, the first page to check."
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.main.dashboard_name}"
}

output "group" {
  description = "Auto Scaling group, on EC2."
  value       = one(aws_autoscaling_group.app[*].name)
}

output "ecs" {
  description = "On ECS: arguments for `aws ecs run-task` and `update-service`."
  value = local.on_ecs ? {
    cluster         = aws_ecs_cluster.main[0].name
    services        = [for service in aws_ecs_service.role : service.name]
    subnets         = [for subnet in aws_subnet.private : subnet.id]
    security_groups = [aws_security_group.tier["app"].id]
  } : null
}
