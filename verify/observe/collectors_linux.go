package observe

// collectors are all there are. Their order is of no meaning.
var collectors = []collector{
	{"board", (*looker).board},
	{"kernel", (*looker).kernel},
	{"modules", (*looker).modules},
	{"system", (*looker).system},
	{"links addrs routes neighbours", (*looker).network},
	{"rules", (*looker).rules},
	{"sysctls", (*looker).sysctls},
	{"units", (*looker).units},
	{"files", (*looker).files},
	{"tables", (*looker).tables},
	{"rulesets", (*looker).rulesets},
	{"users", (*looker).users},
	{"listeners", (*looker).listeners},
	{"wireguard", (*looker).wireGuard},
	{"clock", (*looker).clock},
}
