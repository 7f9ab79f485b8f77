"""Runs ifstatecli in a lab, where a router's sockets are veths.

IfState tells a router's own ports from links that it may delete and create by the kind that the
kernel gives: real ports have none ("physical") or "dsa", and no kernel lets a test make such a
link. So here a veth whose other end is in another network namespace is a port: IfState sees it
with the kind that $PORT_KINDS gives ("lan1=dsa lan2=dsa"), else with none. And all routers have
one machine-id, from which IfState makes the addresses of virtual links: the machine's own, which
a container may lack, would give others everywhere. Nothing else of IfState is touched.
"""

import os

from ifstate.ifstate import main
from libifstate.paths import IfstatePaths
from libifstate.util import IPRouteExt, NetNSExt
from pyroute2 import IPRoute

kinds = dict(pair.split("=") for pair in os.environ.get("PORT_KINDS", "").split())


def port(link):
    info = link.get_attr("IFLA_LINKINFO")
    if info is None or info.get_attr("IFLA_INFO_KIND") != "veth" or link.get_attr("IFLA_LINK_NETNSID") is None:
        return link
    kind = kinds.get(link.get_attr("IFLA_IFNAME"))
    info["attrs"] = [("IFLA_INFO_KIND", kind)] if kind else []
    return link


def get_links(self, *args, **kwargs):
    return [port(link) for link in IPRoute.__getattr__(self, "get_links")(*args, **kwargs)]


IPRouteExt.get_links = NetNSExt.get_links = get_links
IfstatePaths.MACHINE_ID_FILES = (os.path.join(os.path.dirname(__file__), "machine-id"),)
main()
