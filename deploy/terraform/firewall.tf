# Permitted connections. Each flow opens one port on both of its ends, and nothing else is open.

locals {
  tiers = {
    alb      = "Load balancer: the only one that the internet reaches"
    app      = "Machines and tasks of TMS"
    db       = "Security group for TMS database"
    redis    = "Redis of TMS"
    endpoint = "Ways to the services of AWS"
  }

  flows = merge(
    {
      requests = { from = "alb", to = "app", port = local.port }
      database = { from = "app", to = "db", port = 5432 }
      feed     = { from = "app", to = "redis", port = 6379 }
      services = { from = "app", to = "endpoint", port = 443 }
    },
    { for flow in ["mail"] : flow => { from = "app", to = "endpoint", port = 587 } if local.on_ses == 1 },
  )
}

resource "aws_security_group" "tier" {
  for_each = local.tiers

  name        = "${var.name}-${each.key}-security-group"
  description = each.value
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.tier[each.value.from].id
  referenced_security_group_id = aws_security_group.tier[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.key}: to ${each.value.to}"
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.tier[each.value.to].id
  referenced_security_group_id = aws_security_group.tier[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.key}: from ${each.value.from}"
}

resource "aws_vpc_security_group_ingress_rule" "public" {
  #checkov:skip=CKV_AWS_260:On port 80 people are redirected to 443, and terminals are refused; nothing else is served there
  for_each = { https = 443, http = 80 } # http only tells people to come back with https

  security_group_id = aws_security_group.tier["alb"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  description       = "${each.key} from anywhere"
}

resource "aws_vpc_security_group_egress_rule" "outbound" {
  security_group_id = aws_security_group.tier["app"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "https to anywhere: webhooks, packages of the system, S3"
}
