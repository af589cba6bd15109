/* verbs.c - the table of verbs: one row and one file each. */

#include "bridge/cli/cli.h"

static const struct cli_opt reconcile_opts[] = {
    {"dry-run", NULL}, {"force", "ZONE"}, {"metrics-file", "FILE"}, {NULL, NULL}};
static const struct cli_opt plan_opts[] = {{"exit-code", NULL}, {NULL, NULL}};
static const struct cli_opt pull_opts[] = {{"dry-run", NULL}, {NULL, NULL}};
static const struct cli_opt resolve_opts[] = {
    {"take", "dns|ipam"}, {"dry-run", NULL}, {NULL, NULL}};
static const struct cli_opt dry_opts[] = {{"dry-run", NULL}, {NULL, NULL}};
static const struct cli_opt add_opts[] = {
    {"mac", "MAC"}, {"ttl", "TTL"}, {"note", "TEXT"}, {"replace", NULL}, {NULL, NULL}};
static const struct cli_opt import_opts[] = {
    {"type", "TYPE"}, {"source", "NAME"}, {NULL, NULL}};
static const struct cli_opt kea_hook_opts[] = {
    {"socket", "PATH"}, {"spool", "PATH"}, {NULL, NULL}};

static const struct cli_opt serve_opts[] = {{"role", "ROLE[:OF]"}, {NULL, NULL}};

static const struct cli_opt journal_opts[] = {
    {"zone", "ZONE"}, {"since", "TIME"}, {"limit", "N"}, {NULL, NULL}};

const struct verb verbs[] = {
    {
	.name = "reconcile",
	.help = "pull, read every source, plan and push: one pass, for cron",
	.usage = "[--dry-run] [--force ZONE] [--metrics-file FILE]",
	.text = "One whole pass: looks at what DNS shows, reads every source, decides, sends\n"
		"what differs and waits for the proof.  A second pass right after it sends\n"
		"nothing.\n\n"
		"  --dry-run            do everything but send, and keep nothing\n"
		"  --force ZONE         let go what the brake holds in this zone\n"
		"  --metrics-file FILE  afterwards write metrics for Prometheus there\n\n"
		"examples:\n"
		"  ipambridge reconcile\n"
		"  ipambridge --json reconcile --dry-run\n"
		"  ipambridge reconcile --force lab.example",
	.opts = reconcile_opts,
	.run = verb_reconcile,
    },
    {
	.name = "plan",
	.help = "what a pass would change in DNS, and why; changes nothing",
	.usage = "[--exit-code]",
	.text = "Makes a pass up to the point of sending and rolls it back.\n\n"
		"  --exit-code  exit with 3 when there are changes\n\n"
		"examples:\n"
		"  ipambridge plan\n"
		"  ipambridge plan --json | jq -r '.[] | select(.action == \"delete\") | .owner'\n"
		"  ipambridge plan --exit-code || echo 'DNS differs'",
	.opts = plan_opts,
	.run = verb_plan,
    },
    {
	.name = "pull",
	.help = "the reverse pass alone: DNS back into IPAM",
	.usage = "[--dry-run]",
	.text = "Transfers the zones whose serial moved, notes what they show, and takes PTR\n"
		"names into IPAM.  Sends nothing.\n\n"
		"  --dry-run  keep nothing\n\n"
		"example:\n"
		"  ipambridge pull",
	.opts = pull_opts,
	.run = verb_pull,
    },
    {
	.name = "add-host",
	.help = "give a host its name by hand",
	.usage = "NAME ADDRESS... [--mac MAC] [--ttl TTL] [--note TEXT] [--replace]",
	.text = "Adds a manual name to one or several addresses and sends it.  Adding what is\n"
		"there already changes nothing.  The first name of an address is its PTR.\n\n"
		"  --mac MAC    hardware address of the host\n"
		"  --ttl TTL    of its records, as 300, 5m or 1h\n"
		"  --note TEXT  kept with it, shown by why\n"
		"  --replace    end the name's manual records at other addresses\n\n"
		"examples:\n"
		"  ipambridge add-host printer.lab.example 192.0.2.9\n"
		"  ipambridge add-host nas 192.0.2.7 2001:db8::7 --note 'rack 3'\n"
		"  ipambridge add-host nas 192.0.2.8 --replace",
	.opts = add_opts,
	.min_args = 2,
	.max_args = -1,
	.run = verb_add_host,
    },
    {
	.name = "del-host",
	.help = "end a name given by hand; say what still names it",
	.usage = "NAME|ADDRESS",
	.text = "Ends the manual records of a name or of an address and sends the removal.\n\n"
		"examples:\n"
		"  ipambridge del-host printer.lab.example\n"
		"  ipambridge del-host 192.0.2.9",
	.min_args = 1,
	.max_args = 1,
	.run = verb_del_host,
    },
    {
	.name = "list",
	.help = "hosts, addresses, subnets, zones, sources or conflicts",
	.usage = "hosts|addresses|subnets|zones|sources|conflicts",
	.text = "  hosts      every name and address, and who says so\n"
		"  addresses  every address with evidence, those outside every subnet too\n"
		"  subnets    the subnets, and how full they are\n"
		"  zones      the zones, the age of what we know of them, what waits\n"
		"  sources    the sources, their age and their last error\n"
		"  conflicts  what is not written, with every value and the reason\n\n"
		"examples:\n"
		"  ipambridge list hosts\n"
		"  ipambridge --json --space branch list conflicts",
	.min_args = 1,
	.max_args = 1,
	.run = verb_list,
    },
    {
	.name = "why",
	.help = "why a name or an address is what it is",
	.usage = "NAME|ADDRESS",
	.text = "Shows who saw it, the rule and the decision, what was sent with which answer,\n"
		"and what DNS shows now.\n\n"
		"examples:\n"
		"  ipambridge why camera.lab.example\n"
		"  ipambridge why 192.0.2.101",
	.min_args = 1,
	.max_args = 1,
	.run = verb_why,
    },
    {
	.name = "resolve",
	.help = "settle a conflict or a fight over one name",
	.usage = "NAME|ADDRESS --take dns|ipam [--dry-run]",
	.text = "Shows what will be done, then does it.  An address stands for its PTR.  Nothing\n"
		"is deleted from DNS by it.\n\n"
		"  --take dns   IPAM gives way: a PTR becomes an edit, a name is set aside\n"
		"  --take ipam  what DNS shows now is written over, once; also a frozen name\n"
		"  --dry-run    only show it\n\n"
		"examples:\n"
		"  ipambridge list conflicts\n"
		"  ipambridge resolve camera.lab.example --take ipam --dry-run\n"
		"  ipambridge resolve 192.0.2.101 --take dns",
	.opts = resolve_opts,
	.min_args = 1,
	.max_args = 1,
	.run = verb_resolve,
    },
    {
	.name = "adopt",
	.help = "records that DNS shows as wanted become ours",
	.usage = "NAME|ADDRESS|PATTERN [--dry-run]",
	.text = "Shows what will be done, then does it.  From then on the bridge changes and\n"
		"removes these records as its own.  \"*\" and \"?\" match any characters of a full\n"
		"name, \"[...]\" one of several.\n\n"
		"  --dry-run  only show it\n\n"
		"examples:\n"
		"  ipambridge adopt nas.lab.example\n"
		"  ipambridge adopt '*.lab.example' --dry-run",
	.opts = dry_opts,
	.min_args = 1,
	.max_args = 1,
	.run = verb_adopt,
    },
    {
	.name = "disown",
	.help = "records that are ours become somebody else's",
	.usage = "NAME|ADDRESS|PATTERN [--dry-run]",
	.text = "Shows what will be done, then does it.  The records stay in DNS; nothing is\n"
		"written at these names until they are adopted, or resolved.  Of an address whose\n"
		"PTR a person edited, the edit ends.  Patterns are those of adopt.\n\n"
		"  --dry-run  only show it\n\n"
		"examples:\n"
		"  ipambridge disown www.lab.example\n"
		"  ipambridge disown '*.2.0.192.in-addr.arpa' --dry-run",
	.opts = dry_opts,
	.min_args = 1,
	.max_args = 1,
	.run = verb_disown,
    },
    {
	.name = "status",
	.help = "is all well? sources, servers, zones, passes, processes",
	.usage = "",
	.text = "The first line is the verdict: \"all in step\", or the loudest trouble.  What\n"
		"stands behind it follows.  Counts of names end at 100000.\n\n"
		"examples:\n"
		"  ipambridge status\n"
		"  ipambridge --json status | jq -r .verdict",
	.run = verb_status,
    },
    {
	.name = "journal",
	.help = "what happened, newest last",
	.usage = "[NAME|ADDRESS] [--zone ZONE] [--since TIME|AGE] [--limit N]",
	.text = "Without a name or an address, what happened to all of them.\n\n"
		"  --zone ZONE       only what was done in this zone\n"
		"  --since TIME|AGE  not before: 2h, 7d, 2026-11-21, 2026-11-21T14:00:00Z (UTC)\n"
		"  --limit N         the latest so many lines (100)\n\n"
		"examples:\n"
		"  ipambridge journal --since 1h\n"
		"  ipambridge journal camera.lab.example --limit 10",
	.opts = journal_opts,
	.max_args = 1,
	.run = verb_journal,
    },
    {
	.name = "import",
	.help = "read a file once into a configured source",
	.usage = "--type TYPE [--source NAME] [FILE|-]",
	.text = "Reads a file or standard input as a source of that type would, and keeps what\n"
		"it says as that source's evidence.  What the file does not mention stays.\n"
		"Nothing is sent; \"ipambridge plan\" shows what follows from it.\n\n"
		"  --type TYPE    how to read it: the type of a source, as in the configuration\n"
		"  --source NAME  whose evidence it is; needed when several have the type\n\n"
		"examples:\n"
		"  ipambridge import --type kea-leases /var/lib/kea/kea-leases4.csv\n"
		"  arp -an | ipambridge import --type neighbour --source arp -",
	.opts = import_opts,
	.max_args = 1,
	.run = verb_import,
    },
    {
	.name = "serve",
	.help = "the daemon: keeps names in step until it is told to stop",
	.usage = "[--role ROLE[:OF]]",
	.text = "Starts a process for each source (ingest), for each name server (push), for what\n"
		"is done by the clock (sync) and, when configured, for metrics (http), and starts\n"
		"anew what ends.  SIGHUP loads the configuration again, SIGTERM stops.\n\n"
		"  --role ROLE     only the processes of this role\n"
		"  --role ROLE:OF  be one of them: ingest:SPACE/SOURCE, push:SERVER, sync:, http:\n\n"
		"examples:\n"
		"  ipambridge serve\n"
		"  ipambridge serve --role push\n"
		"  ipambridge -v serve --role ingest:default/dhcp",
	.opts = serve_opts,
	.run = verb_serve,
    },
    {
	.name = "kea-hook",
	.help = "what Kea's run_script hook calls for each event",
	.usage = "[--socket PATH] [--spool PATH] EVENT",
	.text = "Tells the running daemon of one event, which it takes from the variables that\n"
		"Kea sets.  When the daemon is away or busy, the event waits in the spool.\n"
		"Reads no configuration, and exits with 0 always: Kea would not look.\n\n"
		"  --socket PATH  of the source; default /var/lib/ipambridge/hook.sock\n"
		"  --spool PATH   of the source; default /var/lib/ipambridge/hook.spool\n\n"
		"example, in the script that Kea runs:\n"
		"  exec /usr/local/bin/ipambridge kea-hook \"$1\"",
	.opts = kea_hook_opts,
	.min_args = 1,
	.max_args = 1,
	.run = verb_kea_hook,
    },
    {
	.name = "check-config",
	.help = "read the configuration and its key files, and nothing else",
	.usage = "",
	.text = "Says what is wrong with file and line, or counts what is there.  Connects to\n"
		"nothing.\n\n"
		"example:\n"
		"  ipambridge check-config -c ./ipambridge.conf",
	.run = verb_check_config,
    },
    {
	.name = "db",
	.help = "the database schema: init, migrate or status",
	.usage = "init|migrate|status",
	.text = "  init     create the schema in an empty database\n"
		"  migrate  run the migrations that are missing\n"
		"  status   list the migrations and what was run\n\n"
		"example:\n"
		"  ipambridge db init && ipambridge db status",
	.min_args = 1,
	.max_args = 1,
	.run = verb_db,
    },
    {.name = NULL},
};
