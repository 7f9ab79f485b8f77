
# Once a minute without news, too: what changes before ip listens it does not tell.
again || true
ip -o monitor link address | while read -r -t 60 _ || (($? > 128)); do
  again || true
done
