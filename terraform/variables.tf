variable "configuration" {
  description = "The file that every setting comes from"
  type        = string
  default     = "../config/production.json"
}

variable "web_image" {
  description = "The image that serves, with its address in the registry; empty until one has been pushed"
  type        = string
  default     = ""

  validation {
    condition     = var.web_image == "" || (can(regex(local.image, var.web_image)) && !endswith(var.web_image, ":latest"))
    error_message = "web_image: should be REPOSITORY_URL:VERSION, of a version other than \"latest\", got \"${var.web_image}\""
  }
}

variable "migrate_image" {
  description = "The image that migrates: in a deploy the new one, before web_image becomes it"
  type        = string
  default     = ""

  validation {
    condition     = var.migrate_image == "" || (can(regex(local.image, var.migrate_image)) && !endswith(var.migrate_image, ":latest"))
    error_message = "migrate_image: should be REPOSITORY_URL:VERSION, of a version other than \"latest\", got \"${var.migrate_image}\""
  }
  validation {
    condition     = var.web_image == "" || var.migrate_image != ""
    error_message = "migrate_image: is missing: what serves was migrated by an image"
  }
}

variable "protected" {
  description = "Whether the database, the load balancer, the images and the logs refuse to be deleted"
  type        = bool
  default     = true
}
