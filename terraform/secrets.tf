# One secret per name in the configuration. Secrets Manager generates the first value, and Terraform writes it there
# as an ephemeral value: neither plan nor state contains it.
resource "aws_secretsmanager_secret" "of" {
  for_each = setsubtract(local.configuration.secrets, ["TLS_CERTIFICATE", "TLS_KEY"])

  name                    = "${local.name}/${each.key}"
  recovery_window_in_days = var.protected ? 30 : 0
}

ephemeral "aws_secretsmanager_random_password" "of" {
  for_each = aws_secretsmanager_secret.of

  password_length     = 43
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "of" {
  for_each = aws_secretsmanager_secret.of

  secret_id                = each.value.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.of[each.key].random_password
  secret_string_wo_version = local.cloud.secrets_version
}
