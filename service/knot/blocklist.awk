# Makes a response policy zone of lists of names. In the environment: allow, names that are not
# blocked; mark and digest, a record by which to tell that the zone is in use.
function refuse(why) {
  printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0 >"/dev/stderr"
  failed = 1
  exit 1
}
function add(name,    i, n, label) {
  name = tolower(name)
  sub(/^\*\./, "", name)
  sub(/\.$/, "", name)
  n = split(name, label, ".")
  if (n < 2 || length(name) > 253) refuse("no domain name with a dot in it")
  for (i = 1; i <= n; i++)
    if (label[i] !~ /^[a-z0-9_-]+$/ || length(label[i]) > 63) refuse("no domain name with a dot in it")
  if (name in seen) return
  seen[name] = 1
  total++
  for (i = 1; i <= allows; i++)
    if (name == allow[i] || below(name, allow[i]) || below(allow[i], name)) return
  print name " CNAME ."
}
function below(name, zone,    at) {
  at = length(name) - length(zone)
  return at > 0 && substr(name, at) == "." zone
}
BEGIN {
  allows = split(ENVIRON["allow"], allow, " ")
  print "$TTL 300"
  print "@ SOA blocklist.nbr.invalid. nbr.invalid. 1 3600 600 86400 300"
  print ENVIRON["mark"] " TXT \"" ENVIRON["digest"] "\""
}
{
  sub(/\r$/, "")
  sub(/[#;].*/, "")
}
NF == 0 || $1 ~ /^\$/ || $1 == "@" || $1 == "NS" || $2 == "SOA" || $3 == "SOA" { next }
$1 ~ /^[0-9.]+$/ || $1 ~ /:/ {
  if (NF == 1) refuse("an address, and names are blocked")
  for (i = 2; i <= NF; i++) {
    if ($i !~ /\./ || $i ~ /^[0-9.]+$/) continue
    if ($1 != "0.0.0.0" && $1 != "127.0.0.1" && $1 != "::" && $1 != "::1")
      refuse("only names of 0.0.0.0, 127.0.0.1, :: and ::1 are blocked")
    add($i)
  }
  next
}
NF == 1 || NF > 2 && $NF == "." && toupper($(NF - 1)) == "CNAME" { add($1); next }
{ refuse("neither a name nor an address with names") }
END {
  if (failed) exit 1
  if (total == 0) { print FILENAME ": no name in the list" >"/dev/stderr"; exit 1 }
}
