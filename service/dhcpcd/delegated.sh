# The kernel has a route to nowhere for each delegated prefix, which does not tell whose it is: of
# several upstreams each delegates one. Another such route does, by the number of the association.
nbr_prefix_of() { # which association of the lease, and its number
  nbr_new='' nbr_kept='' nbr_j=1 nbr_length=0 nbr_preferred=0 nbr_valid=0
  while eval "nbr_prefix=\${new_dhcp6_ia_pd$1_prefix$nbr_j:-}" && [ -n "$nbr_prefix" ]; do
    eval "nbr_length=\$new_dhcp6_ia_pd$1_prefix${nbr_j}_length"
    eval "nbr_preferred=\$new_dhcp6_ia_pd$1_prefix${nbr_j}_pltime nbr_valid=\$new_dhcp6_ia_pd$1_prefix${nbr_j}_vltime"
    nbr_prefix=$nbr_prefix/$nbr_length
    # One that is not preferred is on its way out (RFC 8415 section 18.2.10.1).
    if [ "$nbr_preferred" -gt 0 ]; then
      nbr_new=${nbr_new:-$nbr_prefix}
    elif [ "$nbr_valid" -gt 0 ]; then
      nbr_kept=${nbr_kept:-$nbr_prefix}
    fi
    nbr_j=$((nbr_j + 1))
  done
  nbr_new=${nbr_new:-$nbr_kept}
  if [ -n "$nbr_new" ]; then
    ip -6 route replace unreachable "$nbr_new" proto "$nbr_protocol" metric "$2" || true
  fi
  ip -6 route show type unreachable proto "$nbr_protocol" | while read -r _ nbr_prefix nbr_rest; do
    case " $nbr_rest " in
    *" metric $2 "*)
      if [ "$nbr_prefix" != "$nbr_new" ]; then
        ip -6 route delete unreachable "$nbr_prefix" proto "$nbr_protocol" metric "$2" || true
      fi
      ;;
    esac
  done
}

# Of a lease that has ended nothing stays: another router may get the prefix. dhcpcd that stops keeps
# its own routes, too.
nbr_when=new
if [ "${reason:-}" = EXPIRE6 ]; then
  nbr_when=old
fi
nbr_i=1
while eval "nbr_iaid=\${${nbr_when}_dhcp6_ia_pd${nbr_i}_iaid:-}" && [ -n "$nbr_iaid" ]; do
  nbr_iaid=$((0x$nbr_iaid))
  case " $nbr_told " in
  *" $nbr_iaid "*) nbr_prefix_of "$nbr_i" "$nbr_iaid" ;;
  esac
  nbr_i=$((nbr_i + 1))
done
