# Endpoints of AWS services inside the network, so that secrets, logs and metrics do not depend on the NAT gateways.

locals {
  endpoints = toset([
    "autoscaling", # a machine completes its start and its end without the NAT gateway of its zone
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "logs",
    "monitoring",
    "secretsmanager",
    "ssm",
    "ssmmessages",
  ])
}

resource "aws_vpc_endpoint" "storage" {
  vpc_id            = aws_vpc.main.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.s3"
  route_table_ids   = [for table in aws_route_table.private : table.id]

  tags = { Name = "${var.name}-s3" }
}

resource "aws_vpc_endpoint" "service" {
  for_each = local.endpoints

  vpc_id              = aws_vpc.main.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.tier["endpoint"].id]
  private_dns_enabled = true

  tags = { Name = "${var.name}-${each.key}" }
}
