
route() {
  ip "$1" route replace "${@:2}" || echo "no route to $2 by all of its next hops yet" >&2
}

# Once a minute without news, too: what changes before ip listens it does not tell.
routes
ip -o monitor link address | while read -r -t 60 _ || (($? > 128)); do
  routes
done
