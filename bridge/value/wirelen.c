/* wirelen.c - serial numbers and the one spelling of a time. */
#include "bridge/value/wirelen.h"

/* b - a is taken modulo 2^32: 1 to 2^31 - 1 means b is ahead. */
bool serial_newer(uint32_t a, uint32_t b)
{
	uint32_t ahead = b - a;

	return ahead != 0 && ahead < UINT32_C(1) << 31;
}

/* The civil date of a day counted from 1970-01-01, by eras of 400 years (146097 days) that begin
 * on March 1st, so that a leap day is the last of its year.  gmtime_r(3) would read the zone file
 * on its first call, and what prints a plan reads no file.  day >= 0. */
static void civil(int64_t day, unsigned *year, unsigned *month, unsigned *mday)
{
	int64_t z = day + 719468, era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153; /* March is 0 */

	*mday = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (unsigned)(era * 400) + yoe + (*month <= 2);
}

/* v in so many digits, and the character behind them. */
static char *put(char *o, unsigned v, unsigned digits, char after)
{
	unsigned i;

	for (i = digits; i-- > 0; v /= 10)
		o[i] = (char)('0' + v % 10);
	o[digits] = after;
	return o + digits + 1;
}

/* RFC 3339 has years of four digits; what is beyond them does not end for us, and nothing we
 * were told happened before 1970. */
const char *time_print(char out[24], int64_t unix_s)
{
	const int64_t year_10000 = INT64_C(253402300800);
	unsigned year, month, mday, s;
	char *o;

	out[0] = '\0';
	if (unix_s <= 0 || unix_s >= year_10000)
		return out;
	civil(unix_s / 86400, &year, &month, &mday);
	s = (unsigned)(unix_s % 86400);
	o = put(out, year, 4, '-');
	o = put(o, month, 2, '-');
	o = put(o, mday, 2, 'T');
	o = put(o, s / 3600, 2, ':');
	o = put(o, s / 60 % 60, 2, ':');
	*put(o, s % 60, 2, 'Z') = '\0';
	return out;
}
