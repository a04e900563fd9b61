# Static files from the edge. Their names contain a hash of the contents, so they may be cached forever.
# With `cdn = false` TMS serves them itself; the bucket is never public.

locals {
  on_cdn        = var.cdn ? 1 : 0
  static_domain = "static.${var.domain}"
  static_url    = var.cdn ? "https://${local.static_domain}/static/" : ""
  static_bucket = var.cdn ? aws_s3_bucket.main["static"].bucket : ""
}

# For deploy/pipeline/static. A parameter may not be empty.
resource "aws_ssm_parameter" "static" {
  #checkov:skip=CKV2_AWS_34:Every page of TMS names the URL, and the bucket is private
  #checkov:skip=CKV_AWS_337:Every page of TMS names the URL, and the bucket is private
  for_each = {
    url    = { value = coalesce(local.static_url, "none"), about = "URL of the files for browsers; none if TMS serves them itself" }
    bucket = { value = aws_s3_bucket.main["static"].bucket, about = "Bucket of the files for browsers" }
  }

  name        = "/${var.name}/static/${each.key}"
  description = each.value.about
  type        = "String"
  value       = each.value.value
}

resource "aws_cloudfront_origin_access_control" "static" {
  count = local.on_cdn

  name                              = "${var.name}-static"
  description                       = "CloudFront signs its requests to the bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# Pages come from another host: without CORS a browser loads neither modules nor fonts from here.
resource "aws_cloudfront_response_headers_policy" "static" {
  count = local.on_cdn

  name = "${var.name}-static"

  cors_config {
    access_control_allow_credentials = false
    origin_override                  = true

    access_control_allow_headers {
      items = ["*"]
    }
    access_control_allow_methods {
      items = ["GET", "HEAD"]
    }
    access_control_allow_origins {
      items = ["https://${var.domain}"]
    }
  }

  security_headers_config {
    content_type_options {
      override = true
    }
    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = true
      preload                    = true
      override                   = true
    }
  }
}

data "aws_cloudfront_cache_policy" "optimised" {
  name = "Managed-CachingOptimized"
}

resource "aws_cloudfront_distribution" "static" {
  #checkov:skip=CKV_AWS_68:It serves the same public files to everybody; there is nothing that a WAF could guard
  #checkov:skip=CKV2_AWS_47:It serves the same public files to everybody; there is nothing that a WAF could guard
  #checkov:skip=CKV_AWS_86:Requests for static files need no log; the load balancer logs requests for pages
  #checkov:skip=CKV_AWS_310:The origin is S3, which is highly available without a second origin
  #checkov:skip=CKV_AWS_305:The root is not requested
  #checkov:skip=CKV_AWS_374:People who travel need the files, too
  count = local.on_cdn

  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  price_class     = "PriceClass_200" # the least that has Japan
  comment         = "Static files of ${var.name}"
  aliases         = [local.static_domain]

  origin {
    origin_id                = "static"
    domain_name              = aws_s3_bucket.main["static"].bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.static[0].id
  }

  default_cache_behavior {
    target_origin_id           = "static"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.optimised.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.static[0].id
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.static[0].certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }
}

resource "aws_acm_certificate" "static" {
  count    = local.on_cdn
  provider = aws.global

  domain_name       = local.static_domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "static_proof" {
  count = local.on_cdn

  zone_id         = data.aws_route53_zone.main.zone_id
  name            = one(aws_acm_certificate.static[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.static[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.static[0].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "static" {
  count    = local.on_cdn
  provider = aws.global

  certificate_arn         = aws_acm_certificate.static[0].arn
  validation_record_fqdns = [aws_route53_record.static_proof[0].fqdn]
}

resource "aws_route53_record" "static" {
  for_each = var.cdn ? toset(["A", "AAAA"]) : toset([])

  zone_id = data.aws_route53_zone.main.zone_id
  name    = local.static_domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.static[0].domain_name
    zone_id                = aws_cloudfront_distribution.static[0].hosted_zone_id
    evaluate_target_health = false
  }
}

resource "aws_s3_bucket_policy" "static" {
  bucket = aws_s3_bucket.main["static"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([local.only_over_tls["static"]], [for distribution in aws_cloudfront_distribution.static : {
      Sid       = "CloudFrontReads"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.main["static"].arn}/*"
      Condition = { StringEquals = { "AWS:SourceArn" = distribution.arn } }
    }])
  })

  depends_on = [aws_s3_bucket_public_access_block.main]
}
