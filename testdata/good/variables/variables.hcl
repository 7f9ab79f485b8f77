variable "site" {
  type        = string
  default     = "berlin"
  description = "Where the router stands."

  validation {
    condition     = can(regex("^[a-z]+$", var.site))
    error_message = "A site is one word in lower case."
  }
}

variable "number" {
  type = number

  validation {
    condition     = var.number >= 0 && var.number < 256
    error_message = "Sites are numbered 0 to 255."
  }
}

variable "guests" {
  type    = bool
  default = true
}

variable "hosts" {
  type = map(object({
    mac  = string
    host = number
    note = optional(string, "no note")
  }))
  default = {
    nas     = { mac = "02:11:22:33:44:55", host = 10 }
    printer = { mac = "02:11:22:33:44:66", host = 11, note = "in the \"hall\"" }
  }
}
