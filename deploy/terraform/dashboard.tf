# The first page to check when an alarm fires: the fleet, then the load balancer, then the machines and the database.

locals {
  # Each graph: its title, its statistic, and [namespace, metric, dimension, value, ...] of each metric.
  graphs = [
    {
      title = "Terminals", stat = "Maximum"
      metrics = [
        for name in ["ActiveTerminals", "SilentTerminals", "OfflineTerminals"] : [local.metrics_namespace, name]
      ]
    },
    {
      title   = "Alerts", stat = "Maximum"
      metrics = [for name in ["UnresolvedAlerts", "CriticalOpenAlerts"] : [local.metrics_namespace, name]]
    },
    {
      title   = "Report acknowledgement, p99 (s)", stat = "p99"
      metrics = [[local.metrics_namespace, "AckSeconds"]]
    },
    {
      title   = "Service level: stages measured and missed", stat = "Sum"
      metrics = [for name in ["SloMeasured", "SloMissed"] : [local.metrics_namespace, name]]
    },
    {
      title   = "Failed notifications", stat = "Sum"
      metrics = [[local.metrics_namespace, "DeliveriesGivenUp"]]
    },
    {
      title   = "Longest overdue notification (s)", stat = "Maximum"
      metrics = [[local.metrics_namespace, "DeliveryWaiting"]]
    },
    {
      title = "Nodes and clock", stat = "Maximum"
      metrics = [
        for name in ["NodesRunning", "NodesLost", "ClockLag", "ClockLoopAge", "BridgeLag"] : [local.metrics_namespace, name]
      ]
    },
    {
      title = "Requests and errors", stat = "Sum"
      metrics = [
        for name in ["RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] :
        ["AWS/ApplicationELB", name, "LoadBalancer", aws_lb.main.arn_suffix]
      ]
    },
    {
      title = "Connections", stat = "Sum"
      metrics = [
        for name in ["ActiveConnectionCount", "NewConnectionCount", "RejectedConnectionCount"] :
        ["AWS/ApplicationELB", name, "LoadBalancer", aws_lb.main.arn_suffix]
      ]
    },
    {
      title = "Blocked by the WAF", stat = "Sum"
      metrics = [
        for rule in concat(["MetricsRule", "RateLimitRule", "TerminalRateLimitRule"], keys(local.managed_rules)) :
        ["AWS/WAFV2", "BlockedRequests", "WebACL", aws_wafv2_web_acl.main.name, "Region", var.region, "Rule", rule]
      ]
    },
    {
      title   = "CPU and memory (%)", stat = "Average"
      metrics = [for one in [local.cpu, local.memory] : concat([one.namespace, one.name], flatten([for name, value in one.dimensions : [name, value]]))]
    },
    {
      title = "Healthy machines or tasks", stat = "Minimum"
      metrics = [
        ["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", aws_lb_target_group.app.arn_suffix, "LoadBalancer", aws_lb.main.arn_suffix],
      ]
    },
    {
      title = "Database", stat = "Average"
      metrics = [
        for name in ["CPUUtilization", "DatabaseConnections", "ReadLatency", "WriteLatency"] :
        ["AWS/RDS", name, "DBInstanceIdentifier", aws_db_instance.main.identifier]
      ]
    },
    {
      title = "Free storage and memory of the database (bytes)", stat = "Minimum"
      metrics = [
        for name in ["FreeStorageSpace", "FreeableMemory"] : ["AWS/RDS", name, "DBInstanceIdentifier", aws_db_instance.main.identifier]
      ]
    },
    {
      title = "Reads and writes of the database's storage, each second", stat = "Average"
      metrics = [
        for name in ["ReadIOPS", "WriteIOPS", "DiskQueueDepth"] : ["AWS/RDS", name, "DBInstanceIdentifier", aws_db_instance.main.identifier]
      ]
    },
    {
      title   = "Disks of machines or tasks", stat = "Maximum"
      metrics = [for one in local.disk : concat([one.namespace, one.name], flatten([for name, value in one.dimensions : [name, value]]))]
    },
    {
      title = "Redis memory (%)", stat = "Maximum"
      metrics = [
        for node in local.cache_nodes : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", node]
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type = "alarm", x = 0, y = 0, width = 24, height = 4
        properties = {
          title  = "Alarms"
          alarms = concat([aws_cloudwatch_composite_alarm.down.arn], [for alarm in aws_cloudwatch_metric_alarm.main : alarm.arn])
        }
      }],
      [for index, graph in local.graphs : {
        type       = "metric", x = 8 * (index % 3), y = 4 + 6 * floor(index / 3), width = 8, height = 6
        properties = merge(graph, { region = var.region, period = 60, view = "timeSeries" })
      }],
    )
  })
}
