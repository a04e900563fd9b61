# What may be run on machines: by the pipeline, the steps of a deployment, each with the release as its only parameter.

locals {
  # SSM refuses any other value. It is on a command line of root, so no space and no quotation mark.
  release_pattern = "^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$"

  machine_scripts = "/opt/tms/current/deploy/machine"
  release_scripts = "/opt/tms/releases/{{ release }}/deploy/machine"

  install_it = "nice -n 10 ${local.machine_scripts}/install-release {{ release }}"

  # `seconds` is the time after which SSM stops the command.
  steps = {
    install = {
      meaning  = "Installs a release beside the running one"
      commands = [local.install_it], seconds = 1800
    }
    migrate = {
      meaning  = "Installs a release, and runs its migrations"
      commands = [local.install_it, "nice -n 10 ${local.release_scripts}/manage migrate_once"], seconds = 3600
    }
    switch = {
      meaning  = "Makes an installed release the running one, with the current settings and secrets"
      commands = ["${local.release_scripts}/write-environment", "${local.release_scripts}/switch-release {{ release }}"], seconds = 1800
    }
    rollback = {
      meaning  = "Returns to the given installed release, or to the previous one"
      commands = ["${local.machine_scripts}/rollback {{ release }}"], seconds = 900, optional = true
    }
  }
}

resource "aws_ssm_document" "step" {
  for_each = { for name, step in local.steps : name => step if local.on_ec2 }

  name            = "${var.name}-${each.key}"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = each.value.meaning
    parameters = {
      release = merge(
        { type = "String", description = "Release, such as 1.4.2", allowedPattern = local.release_pattern },
        { for empty in [""] : "default" => empty if can(each.value.optional) },
        { for pattern in ["^$|${local.release_pattern}"] : "allowedPattern" => pattern if can(each.value.optional) },
      )
    }
    mainSteps = [{
      action = "aws:runShellScript"
      name   = each.key
      inputs = { timeoutSeconds = tostring(each.value.seconds), runCommand = concat(["set -eu"], each.value.commands) }
    }]
  })
}
