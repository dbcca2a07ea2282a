# Outputs for `inv cloud`. Steps of a deploy: push the image; apply with migrate_image = NEW, web_image = OLD; run
# migrate_task_definition as a task and wait for its end; apply with both NEW, which waits for a stable service.
output "region" {
  value = local.cloud.region
}

output "cluster" {
  value = aws_ecs_cluster.main.name
}

output "service" {
  description = "Its name; it is made by the first apply with a web_image"
  value       = local.service
}

output "repository_url" {
  value = aws_ecr_repository.web.repository_url
}

output "web_family" {
  value = "${local.name}-web"
}

output "command_family" {
  value = "${local.name}-command"
}

output "migrate_family" {
  value = "${local.name}-migrate"
}

output "web_task_definition" {
  description = "Its ARN; null before the first image"
  value       = one(aws_ecs_task_definition.web[*].arn)
}

output "migrate_task_definition" {
  description = "Its ARN; null before the first image"
  value       = one(aws_ecs_task_definition.migrate[*].arn)
}

output "subnets" {
  description = "Where tasks run"
  value       = local.private_subnets
}

output "migrate_security_groups" {
  value = [aws_security_group.of["migrate"].id]
}

output "log_group" {
  description = "Streams are web/web/TASK, proxy/proxy/TASK and migrate/migrate/TASK"
  value       = aws_cloudwatch_log_group.service.name
}

output "alarms_topic" {
  value = aws_sns_topic.alarms.arn
}

output "load_balancer" {
  description = "Its own name, which the domain is pointed at where Route 53 does not have it"
  value       = aws_lb.main.dns_name
}

output "url" {
  value = "https://${local.cloud.domain}"
}

output "release_role" {
  description = "What a workflow on GitHub assumes; null where cloud/github_repository is not set"
  value       = one(aws_iam_role.release[*].arn)
}
