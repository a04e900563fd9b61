# What machines and tasks have in common.

locals {
  on_ec2 = var.compute == "ec2"
  on_ecs = var.compute == "ecs"

  # Who may say for whom it speaks: the load balancer, wherever in the public subnets it stands.
  balancers = join(",", var.network.public)

  metrics_namespace = "TMS"

  # Terminals for each machine or task: how many of them run is a metric of AWS's own.
  runners = local.on_ec2 ? {
    namespace  = "AWS/AutoScaling"
    metric     = "GroupInServiceInstances"
    dimensions = local.group_dimensions
    } : {
    namespace  = "ECS/ContainerInsights"
    metric     = "RunningTaskCount"
    dimensions = local.service_dimensions
  }

  # Above it there is no room for the terminals of one that failed.
  busy_cpu_percent = 60
}
