resource "aws_cloudwatch_log_group" "service" {
  name              = "/${local.name}/service"
  retention_in_days = local.cloud.log_days
}

resource "aws_cloudwatch_log_group" "database" {
  name              = "/aws/rds/instance/${local.name}/postgresql" # RDS fixes the name
  retention_in_days = local.cloud.log_days
}

resource "aws_sns_topic" "alarms" {
  name = "${local.name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  count = can(local.cloud.alarm_email) ? 1 : 0

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = local.cloud.alarm_email
}

# Alarms that justify waking somebody.
resource "aws_cloudwatch_metric_alarm" "of" {
  for_each = local.alarms

  alarm_name          = "${local.name}: ${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

locals {
  of_target   = { LoadBalancer = aws_lb.main.arn_suffix, TargetGroup = aws_lb_target_group.web.arn_suffix }
  of_database = { DBInstanceIdentifier = aws_db_instance.main.identifier }
  above       = "GreaterThanThreshold"
  below       = "LessThanThreshold"

  alarms = {
    "requests fail"                      = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.of_target, statistic = "Sum", comparison = local.above, threshold = 10 }
    "no replica answers"                 = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = { LoadBalancer = aws_lb.main.arn_suffix }, statistic = "Sum", comparison = local.above, threshold = 10 }
    "replicas are not ready"             = { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.of_target, statistic = "Minimum", comparison = local.above, threshold = 0 }
    "the database is busy"               = { namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.of_database, statistic = "Average", comparison = local.above, threshold = 80 }
    "the disk of the database gets full" = { namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.of_database, statistic = "Minimum", comparison = local.below, threshold = local.cloud.database.storage_gb * pow(1024, 3) / 10 }
    "connections run out"                = { namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.of_database, statistic = "Maximum", comparison = local.above, threshold = local.database.max_connections - local.database.reserved_connections }
  }
}
