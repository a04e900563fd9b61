data "aws_route53_zone" "main" {
  name = var.zone
}

resource "aws_acm_certificate" "main" {
  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# Must stay: ACM checks it at each renewal.
resource "aws_route53_record" "proof" {
  zone_id         = data.aws_route53_zone.main.zone_id
  name            = one(aws_acm_certificate.main.domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.main.domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.main.domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "main" {
  certificate_arn         = aws_acm_certificate.main.arn
  validation_record_fqdns = [aws_route53_record.proof.fqdn]
}

resource "aws_route53_record" "main" {
  zone_id = data.aws_route53_zone.main.zone_id
  name    = var.domain
  type    = "A"

  alias {
    name                   = aws_lb.main.dns_name
    zone_id                = aws_lb.main.zone_id
    evaluate_target_health = true
  }
}
