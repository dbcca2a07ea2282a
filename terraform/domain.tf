# Domain name and certificate. If Route 53 hosts the domain, Terraform creates both. If not, cloud/certificate names an
# existing certificate, and you point the domain at the output load_balancer yourself.
locals {
  in_route53  = can(local.cloud.hosted_zone)
  certificate = local.in_route53 ? one(aws_acm_certificate_validation.main).certificate_arn : local.cloud.certificate
}

data "aws_route53_zone" "main" {
  count = local.in_route53 ? 1 : 0

  name = local.cloud.hosted_zone
}

resource "aws_acm_certificate" "main" {
  count = local.in_route53 ? 1 : 0

  domain_name       = local.cloud.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  count = local.in_route53 ? 1 : 0

  zone_id         = one(data.aws_route53_zone.main).zone_id
  name            = one(one(aws_acm_certificate.main).domain_validation_options).resource_record_name
  type            = one(one(aws_acm_certificate.main).domain_validation_options).resource_record_type
  records         = [one(one(aws_acm_certificate.main).domain_validation_options).resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "main" {
  count = local.in_route53 ? 1 : 0

  certificate_arn         = one(aws_acm_certificate.main).arn
  validation_record_fqdns = [one(aws_route53_record.validation).fqdn]
}

resource "aws_route53_record" "main" {
  count = local.in_route53 ? 1 : 0

  zone_id = one(data.aws_route53_zone.main).zone_id
  name    = local.cloud.domain
  type    = "A"

  alias {
    name                   = aws_lb.main.dns_name
    zone_id                = aws_lb.main.zone_id
    evaluate_target_health = false
  }
}
