#!/bin/sh
# What the demo's clients do with their lease: take the address, nothing else.
# udhcpc hands over $interface, $ip and $mask.
# shellcheck disable=SC2154
case "$1" in
deconfig) ip addr flush dev "$interface" ;;
bound | renew) ip addr replace "$ip/$mask" dev "$interface" && echo "bound $ip" ;;
esac
