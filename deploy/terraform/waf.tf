locals {
  # Evaluated in this order. A request that one rule decides is not passed to the next ones.
  # 0 MetricsRule              no metrics for requests from outside
  #   1 TerminalRateLimitRule    terminals per address, because a shop has one address: their links, and their enrolment
  # 2 UploadsPass              a log may contain what an attacker sent. TMS checks the credential, and stores bytes unread
  #   3 AWSManagedRulesKnownBadInputsRuleSet
  #   4 TerminalsPass            the WAF sees only the handshake of a terminal, and TMS checks its credential. The following
  # rules would only block shops whose address was misused by others
  # 5 RateLimitRule            all other clients
  # 6 ...                      protection of pages
  managed_rules = {
    AWSManagedRulesKnownBadInputsRuleSet = { priority = 3, counted = [] }
    # A bulk acknowledgement is longer than 8 KB, the code of an identity provider longer than 2 KB, and scripts of integrators have no
    # browser user agent. What the others block fires the alarm people-blocked.
    AWSManagedRulesCommonRuleSet          = { priority = 6, counted = ["SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "NoUserAgent_HEADER"] }
    AWSManagedRulesAmazonIpReputationList = { priority = 7, counted = [] }
  }

  # Each terminal of a shop may connect five times within the window: a rolling restart moves it two or three times. A refused
  # terminal retries after `retry_after_s`; the limit is above that rate, so the block ends automatically.
  per_address_limit = 5 * var.terminals_per_address
  rate_window_s     = 120
  retry_after_s     = 30

  # What terminals call, and the updaters of those without an agent. TMS itself checks credential and enrolment token.
  device_paths = "^(${local.terminal_path}|/api/v1/enrol|/ddi/[a-z0-9/._-]+)$"
  # Files of terminals, and artifacts of people. Many requests a file: they do not count as connections.
  upload_paths = "^/(upload|artifacts/uploads)/[A-Za-z0-9_-]{43}$"

  # Normalises paths that try to bypass the rule: %2e, //, /./, capitals.
  plain_path = ["URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"]
}

resource "aws_wafv2_ip_set" "known" {
  name               = "${var.name}-known-addresses"
  description        = "Our own shops and offices"
  scope              = "REGIONAL"
  ip_address_version = "IPV4" # the load balancer has no other addresses
  addresses          = var.known_addresses
}

resource "aws_wafv2_web_acl" "main" {
  #checkov:skip=CKV_AWS_192:AWSManagedRulesKnownBadInputsRuleSet is in local.managed_rules; checkov cannot look into a dynamic block
  name        = "${var.name}-web-acl"
  description = "In front of the load balancer"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  custom_response_body {
    key          = "too-many-terminals"
    content_type = "TEXT_PLAIN"
    content      = "Too many terminals connect from this address at once. Connect again after the seconds of Retry-After."
  }

  rule {
    name     = "MetricsRule"
    priority = 0

    action {
      block {}
    }

    statement {
      byte_match_statement {
        search_string         = "/metrics"
        positional_constraint = "STARTS_WITH"

        field_to_match {
          uri_path {}
        }
        dynamic "text_transformation" {
          for_each = local.plain_path

          content {
            priority = text_transformation.key
            type     = text_transformation.value
          }
        }
      }
    }

    visibility_config {
      sampled_requests_enabled   = true
      cloudwatch_metrics_enabled = true
      metric_name                = "MetricsRule"
    }
  }

  rule {
    name     = "TerminalRateLimitRule"
    priority = 1

    # An agent treats 503 as a full server, and respects Retry-After.
    action {
      block {
        custom_response {
          response_code            = 503
          custom_response_body_key = "too-many-terminals"

          response_header {
            name  = "Retry-After"
            value = local.retry_after_s
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = local.per_address_limit
        evaluation_window_sec = local.rate_window_s
        aggregate_key_type    = "IP"

        scope_down_statement {
          and_statement {
            statement {
              regex_match_statement {
                regex_string = local.device_paths

                field_to_match {
                  uri_path {}
                }
                text_transformation {
                  priority = 0
                  type     = "NONE"
                }
              }
            }
            statement {
              not_statement {
                statement {
                  ip_set_reference_statement {
                    arn = aws_wafv2_ip_set.known.arn
                  }
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      sampled_requests_enabled   = true
      cloudwatch_metrics_enabled = true
      metric_name                = "TerminalRateLimitRule"
    }
  }

  rule {
    name     = "UploadsPass"
    priority = 2

    action {
      allow {}
    }

    statement {
      regex_match_statement {
        regex_string = local.upload_paths

        field_to_match {
          uri_path {}
        }
        text_transformation {
          priority = 0
          type     = "NONE"
        }
      }
    }

    visibility_config {
      sampled_requests_enabled   = true
      cloudwatch_metrics_enabled = true
      metric_name                = "UploadsPass"
    }
  }

  rule {
    name     = "TerminalsPass"
    priority = 4

    action {
      allow {}
    }

    statement {
      regex_match_statement {
        regex_string = local.device_paths

        field_to_match {
          uri_path {}
        }
        text_transformation {
          priority = 0
          type     = "NONE"
        }
      }
    }

    visibility_config {
      sampled_requests_enabled   = true
      cloudwatch_metrics_enabled = true
      metric_name                = "TerminalsPass"
    }
  }

  rule {
    name     = "RateLimitRule"
    priority = 5

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit              = var.people_rate_limit
        aggregate_key_type = "IP"

        scope_down_statement {
          not_statement {
            statement {
              ip_set_reference_statement {
                arn = aws_wafv2_ip_set.known.arn
              }
            }
          }
        }
      }
    }

    visibility_config {
      sampled_requests_enabled   = true
      cloudwatch_metrics_enabled = true
      metric_name                = "RateLimitRule"
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        sampled_requests_enabled   = true
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
      }
    }
  }

  visibility_config {
    sampled_requests_enabled   = true
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-waf"
  }
}

resource "aws_wafv2_web_acl_association" "balancer" {
  resource_arn = aws_lb.main.arn
  web_acl_arn  = aws_wafv2_web_acl.main.arn
}

resource "aws_wafv2_web_acl_logging_configuration" "main" {
  resource_arn            = aws_wafv2_web_acl.main.arn
  log_destination_configs = [aws_cloudwatch_log_group.waf.arn]

  # These contain credentials.
  dynamic "redacted_fields" {
    for_each = ["authorization", "cookie"]

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  # Allowed requests are in the load balancer's log.
  logging_filter {
    default_behavior = "DROP"

    dynamic "filter" {
      for_each = ["BLOCK", "COUNT"]

      content {
        behavior    = "KEEP"
        requirement = "MEETS_ANY"

        condition {
          action_condition {
            action = filter.value
          }
        }
      }
    }
  }
}
