locals {
  port = 8000

  # Limits of the application; tests/infrastructure compares these with its settings.
  ping_interval_s = tonumber(lookup(var.settings, "TMS_PING_INTERVAL_S", 20)) # no open WebSocket is quiet for longer
  # Time over which reconnects are spread. Tasks have the application's own default.
  drain_spread_s = tonumber(lookup(var.settings, "TMS_DRAIN_SPREAD_S", local.on_ec2 ? 20 : 30))

  # Durations of a shutdown. Each step must end before the next one starts: checked by the preconditions of the target
  # group, of the machines' group and of the tasks.
  machine_drain_s  = 2 * (local.drain_spread_s + 40) # deploy/machine/drain: two waves, each killed 40 s after its spread
  drain_s          = local.on_ec2 ? local.machine_drain_s : local.drain_spread_s + 30
  deregistration_s = local.drain_s + 60

  terminal_path = "/ws/terminal/"
}

resource "aws_lb" "main" {
  #checkov:skip=CKV2_AWS_76:AWSManagedRulesKnownBadInputsRuleSet is in local.managed_rules; checkov cannot look into a dynamic block
  name               = "${var.name}-application-lb"
  load_balancer_type = "application"
  internal           = false
  security_groups    = [aws_security_group.tier["alb"].id]
  subnets            = [for subnet in aws_subnet.public : subnet.id]

  idle_timeout               = 300
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
  enable_deletion_protection = var.protected

  access_logs {
    enabled = true
    bucket  = aws_s3_bucket.main["logs"].bucket
    prefix  = "balancer"
  }

  tags = { Name = "${var.name}-alb" }

  # It writes to the bucket at once, to check its permission.
  depends_on = [aws_s3_bucket_policy.main]
}

# Machines are registered by id, tasks by address: if `compute` changes, the new group is created before this one is deleted.
resource "aws_lb_target_group" "app" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; behind it are private subnets in which only it may connect to this port
  name        = local.on_ec2 ? "${var.name}-target-group" : "${var.name}-target-group-ecs"
  target_type = local.on_ec2 ? "instance" : "ip"
  port        = local.port
  protocol    = "HTTP"
  vpc_id      = aws_vpc.main.id

  # A WebSocket is one request that does not end: the target with the fewest gets the next one.
  load_balancing_algorithm_type = "least_outstanding_requests"
  deregistration_delay          = local.deregistration_s

  # Liveness of one process. It must never be `/health/?strict`: a failover of the database would replace every machine.
  health_check {
    enabled             = true
    path                = "/health/"
    matcher             = "200"
    interval            = 30
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  # TLS 1.3, and 1.2 with forward secrecy, because terminals may not be updated for years.
  ssl_policy      = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  certificate_arn = aws_acm_certificate_validation.main.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }
}

# Prometheus scrapes nodes inside the network. nginx and TMS refuse public requests as well.
resource "aws_lb_listener_rule" "metrics" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/metrics", "/metrics/*"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "text/plain"
      message_body = "Not found"
    }
  }
}

# Requests of people without TLS are redirected to HTTPS. A terminal must not be: its credential was already sent in clear text,
# and a terminal that works nevertheless would never be corrected.
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener_rule" "terminals_without_tls" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 1

  condition {
    path_pattern {
      values = [trimsuffix(local.terminal_path, "/"), "${local.terminal_path}*", "/api/*"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      status_code  = "403"
      content_type = "text/plain"
      message_body = "Terminals connect with wss://, and programs with https://. Take what was just sent for known to others."
    }
  }
}
