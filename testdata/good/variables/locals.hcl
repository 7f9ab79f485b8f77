# Locals may need each other in any order.
locals {
  lan     = local.blocks[0]
  blocks  = cidrsubnets(local.site, 8, 8, 4)
  zones   = var.guests ? ["lan", "guest"] : ["lan"]
  domain  = join(".", concat([var.site], local.suffix))
  suffix  = ["example", "org"]
  servers = try(local.settings.servers, ["9.9.9.9", "149.112.112.112"])
}

locals {
  site     = cidrsubnet("10.0.0.0/8", 8, var.number)
  settings = jsondecode("{}")
}
