set -euo pipefail
# Kea has leased something or taken it back (its hook library run_script). Each prefix has a
# file that says which router has it on which link, and until when. All is the shell's own: Kea
# gives a script no PATH.
folder=${NBR_STATE:-/var/lib/kea}
printf -v now '%(%s)T' -1
changed=

put() { # PREFIX LENGTH SECONDS
  echo "$1/$2 ${QUERY6_REMOTE_ADDR:-::} ${QUERY6_IFACE_NAME:--} $((now + $3))" >"$folder/delegated-$1-$2"
  changed=1
}

# each WHICH SECONDS puts each prefix of a list of leases, for the time of its lease or another.
each() {
  local i size=$1_SIZE
  for ((i = 0; i < ${!size:-0}; i++)); do
    local type=$1_AT${i}_TYPE prefix=$1_AT${i}_ADDRESS length=$1_AT${i}_PREFIX_LEN seconds=$1_AT${i}_VALID_LIFETIME
    if [[ ${!type} == IA_PD ]]; then
      put "${!prefix}" "${!length}" "${2:-${!seconds}}"
    fi
  done
}

case $1 in
leases6_committed)
  each DELETED_LEASES6 0
  each LEASES6 ''
  ;;
lease6_release | lease6_expire)
  if [[ ${LEASE6_TYPE:-} == IA_PD ]]; then
    put "$LEASE6_ADDRESS" "$LEASE6_PREFIX_LEN" 0
  fi
  ;;
esac
if [[ -n $changed && -p /run/nbr-delegated ]]; then
  # A pipe that is opened for both waits for no reader.
  echo 1<>/run/nbr-delegated
fi
