# What the two sites have to agree on. The file is the same in both folders: change it in one,
# copy it to the other. "nbr check site-berlin site-hamburg" reads both and says where the two
# ends of the tunnel contradict each other.

locals {
  berlin = {
    lan      = "192.168.10.0/24"
    lan6     = "fd5c:8f2a:71e0:10::/64"
    people   = "10.254.0.0/24" # on the way, in a tunnel of their own
    people6  = "fd5c:8f2a:71e0:fe::/64"
    endpoint = "berlin.example.org:51820"
    key      = "JGUnbIDnU5Q8Tu16+BaQfr1Dbgl6G11nSVHqWdTsqjQ=" # wg pubkey </var/lib/secrets/sites
  }
  hamburg = {
    lan      = "192.168.20.0/24"
    lan6     = "fd5c:8f2a:71e0:20::/64"
    endpoint = "hamburg.example.org:51820"
    key      = "stgyeO5iv/Qquv+CR/FAHRQ3L6nvF3AiMzf8qaluUEk="
  }

  # The networks in the tunnel: Berlin is the first host, Hamburg the second one.
  sites  = "10.255.0.0/24"
  sites6 = "fd5c:8f2a:71e0:ff::/64"
}
