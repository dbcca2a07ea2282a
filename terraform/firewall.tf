# Allowed connections: from the internet to the load balancer, from there to the service, from the service and its
# migrations to the database and to the AWS endpoints; nothing else.
locals {
  proxy_port    = 8080 # set in compose/nginx/plain.conf; gunicorn's port is reachable inside the task only
  database_port = local.configuration.environment.POSTGRES_PORT

  ways = {
    "load-balancer to web" = { from = "load-balancer", to = "web", port = local.proxy_port }
    "web to database"      = { from = "web", to = "database", port = local.database_port }
    "migrate to database"  = { from = "migrate", to = "database", port = local.database_port }
    "web to endpoints"     = { from = "web", to = "endpoints", port = 443 }
    "migrate to endpoints" = { from = "migrate", to = "endpoints", port = 443 }
  }
}

resource "aws_security_group" "of" {
  for_each = toset(["load-balancer", "web", "migrate", "database", "endpoints"])

  name_prefix = "${local.name}-${each.key}-"
  description = "${local.name}: ${each.key}"
  vpc_id      = aws_vpc.main.id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "way" {
  for_each = local.ways

  security_group_id            = aws_security_group.of[each.value.from].id
  referenced_security_group_id = aws_security_group.of[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port

  tags = { Name = each.key }
}

resource "aws_vpc_security_group_ingress_rule" "way" {
  for_each = local.ways

  security_group_id            = aws_security_group.of[each.value.to].id
  referenced_security_group_id = aws_security_group.of[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port

  tags = { Name = each.key }
}

resource "aws_vpc_security_group_ingress_rule" "everybody" {
  for_each = toset(["80", "443"])

  security_group_id = aws_security_group.of["load-balancer"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value

  tags = { Name = "everybody to load-balancer" }
}

resource "aws_vpc_security_group_egress_rule" "layers" {
  for_each = toset(["web", "migrate"])

  security_group_id = aws_security_group.of[each.key].id
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = { Name = "${each.key} to the layers of its image" }
}
