# What machines and tasks have in common.

locals {
  on_ec2 = var.compute == "ec2"
  on_ecs = var.compute == "ecs"

  # Trusted proxies: the load balancer, which may have any address in the public subnets.
  balancers = join(",", var.network.public)

  metrics_namespace = "TMS"

  # Terminals per machine or task; the number of running ones is a metric of AWS.
  runners = local.on_ec2 ? {
    namespace  = "AWS/AutoScaling"
    metric     = "GroupInServiceInstances"
    dimensions = local.group_dimensions
    } : {
    namespace  = "ECS/ContainerInsights"
    metric     = "RunningTaskCount"
    dimensions = local.service_dimensions
  }

  # Above it there is no capacity for the terminals of one that failed.
  busy_cpu_percent = 60
}
