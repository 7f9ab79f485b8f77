
route() {
  ip "$1" route replace "${@:2}" || echo "no route to $2 by all of its next hops yet" >&2
}

routes
ip -o monitor link address | while read -r _; do
  routes
done
