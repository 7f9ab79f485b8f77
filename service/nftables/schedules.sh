# Each schedule is a line with its two sets and the parts of the week that are in it, in minutes
# since Monday began: the first minute, and the one after the last. The time of the router is taken
# unless another one is given, as date -d has it.
#
# A clock without a battery is wrong until it is set for the first time. Until then nothing is told.
state=${RUNTIME_DIRECTORY:-/run/nbr-schedules}
if [ "$trusted" = no ] && [ ! -e "$state/set" ]; then
  [ "$(timedatectl show --property=NTPSynchronized --value)" = yes ] || exit 0
  touch "$state/set"
fi

now=$(date -d "${1:-now}" '+%u %H %M')
read -r day hour minute <<<"$now"
minute=$(((day - 1) * 1440 + 10#$hour * 60 + 10#$minute))
while read -r on off windows; do
  [ -n "$on" ] || continue
  is=$off
  for window in $windows; do
    if ((${window%-*} <= minute && minute < ${window#*-})); then
      is=$on
    fi
  done
  echo "flush set inet nbr $on"
  echo "flush set inet nbr $off"
  echo "add element inet nbr $is { ipv4 timeout 3m, ipv6 timeout 3m }"
done <<<"$schedules" | nft -f -
