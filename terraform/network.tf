# Two zones. The load balancer is reached from everywhere; tasks and the database have no way in but from it and no way
# out but to the four services of AWS that they need (docs/decisions says why there is no NAT).
resource "aws_vpc" "main" {
  cidr_block           = local.cloud.network
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = local.name }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, each.value)

  tags = { Name = "${local.name} public ${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.main.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 4, each.value + 8)

  tags = { Name = "${local.name} private ${each.key}" }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = local.name }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }

  tags = { Name = "${local.name} public" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${local.name} private" }
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

# Images, logs, secrets; the layers of an image lie in S3.
resource "aws_vpc_endpoint" "service" {
  for_each = toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])

  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.${local.cloud.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = local.private_subnets
  security_group_ids  = [aws_security_group.of["endpoints"].id]
  private_dns_enabled = true

  tags = { Name = "${local.name} ${each.key}" }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.${local.cloud.region}.s3"
  route_table_ids = [aws_route_table.private.id]

  tags = { Name = "${local.name} s3" }
}

locals {
  zones           = { for index, letter in local.cloud.zones : "${local.cloud.region}${letter}" => index }
  private_subnets = [for zone in keys(local.zones) : aws_subnet.private[zone].id]
  public_subnets  = [for zone in keys(local.zones) : aws_subnet.public[zone].id]
}
