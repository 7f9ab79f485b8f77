# Makes the routes to the prefixes that routers behind this one have leased, and no others.
# Kea's script writes down which that are, and says in the pipe that it has changed.
folder=${NBR_STATE:-/var/lib/kea}
pipe=/run/nbr-delegated

routes() {
  local now keep='' file prefix via link end left
  printf -v now '%(%s)T' -1
  for prefix in $whole; do
    # What is not leased goes nowhere, and not back to the upstream.
    ip -6 route replace unreachable "$prefix" proto 203 metric 4294967295 || true
  done
  for file in "$folder"/delegated-*; do
    [[ -s $file ]] || continue
    read -r prefix via link end <"$file" || continue
    # Kea's user writes these files: a route is one of the spec's, whatever they say.
    [[ $prefix =~ ^[0-9a-f:]+/[0-9]+$ && $via =~ ^[0-9a-f:]+$ && $end =~ ^[0-9]{1,12}$ ]] || continue
    [[ " $parts " == *" $link/${prefix#*/} "* ]] || continue
    left=$((end - now))
    if ((left < -86400)); then # not at once: Kea may be about to write it
      rm -f "$file"
    elif ((left > 0)) && ip -6 route replace "$prefix" via "$via" dev "$link" proto 203 expires "$left"; then
      keep+=" $prefix"
    fi
  done
  ip -6 route show proto 203 | while read -r prefix _; do
    if [[ $prefix != unreachable && " $keep " != *" $prefix "* ]]; then
      ip -6 route delete "$prefix" proto 203 || true
    fi
  done
}

[[ -p $pipe ]] || mkfifo -m 0666 "$pipe"
exec 3<>"$pipe"
while :; do
  routes
  read -r -t 60 _ <&3 || true
done
