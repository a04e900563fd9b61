locals {
  places = {
    for index, zone in var.network.zones : zone => {
      number  = index + 1
      public  = var.network.public[index]
      private = var.network.private[index]
    }
  }
}

resource "aws_vpc" "main" {
  cidr_block           = var.network.cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = "${var.name}-vpc" }
}

# The default group is unused and empty, so a resource without an explicit group gets no access.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.name}-default-closed" }
}

resource "aws_subnet" "public" {
  for_each = local.places

  vpc_id            = aws_vpc.main.id
  cidr_block        = each.value.public
  availability_zone = each.key
  # Only the load balancer and the NAT gateways are here, and they have their own addresses.
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-public-subnet-${each.value.number}" }
}

resource "aws_subnet" "private" {
  for_each = local.places

  vpc_id            = aws_vpc.main.id
  cidr_block        = each.value.private
  availability_zone = each.key

  tags = { Name = "${var.name}-private-subnet-${each.value.number}" }
}

# Routes from and to the internet

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.name}-internet-gateway" }
}

resource "aws_eip" "outbound" {
  for_each = local.places

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${each.value.number}" }
}

# One per zone, so that the remaining zone does not depend on the one that failed.
resource "aws_nat_gateway" "outbound" {
  for_each = local.places

  allocation_id = aws_eip.outbound[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.name}-nat-${each.value.number}" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table_association" "public" {
  for_each = local.places

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  for_each = local.places

  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.name}-private-${each.value.number}" }
}

resource "aws_route" "outbound" {
  for_each = local.places

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.outbound[each.key].id
}

resource "aws_route_table_association" "private" {
  for_each = local.places

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

# Flow log, for investigations

resource "aws_flow_log" "main" {
  vpc_id                   = aws_vpc.main.id
  traffic_type             = "REJECT" # what was let through is in the logs of the load balancer
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.main["network"].arn
  iam_role_arn             = aws_iam_role.main["network"].arn
  max_aggregation_interval = 600

  tags = { Name = "${var.name}-flow-log" }
}
