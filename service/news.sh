
# Once a minute without news, too: what changes before ip listens it does not tell. News comes in
# bursts, of which each is answered once.
again || true
[[ -z ${NOTIFY_SOCKET-} ]] || systemd-notify --ready
# shellcheck disable=SC2086 # several words
ip -o monitor ${news:-link address} | while read -r -t 60 _ || (($? > 128)); do
  for ((i = 0; i < 1000; i++)); do
    read -r -t 0.1 _ || break
  done
  again || true
done
