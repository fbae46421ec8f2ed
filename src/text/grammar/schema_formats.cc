// The values of `format`.
#include <string>
#include <unordered_map>

#include "text/grammar/schema_compiler.h"

#define RF_DATE                                                                                                    \
  "(?:[1-9]\\d{3}|0[1-9]\\d\\d|00[1-9]\\d|000[1-9])-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-" \
  "(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))"
#define RF_TIME "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
#define RF_LABEL "(?:xn--)?[A-Za-z0-9](?:-?[A-Za-z0-9]){0,28}"
#define RF_HOST RF_LABEL "(?:\\." RF_LABEL "){0,5}"
#define RF_BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define RF_GROUP "[0-9A-Fa-f]{1,4}"

namespace rf::grammar {

const char* FormatPattern(const std::string& name) {
  // RFC 3339 (dates of 29 February are left out: whether they exist depends on the year), RFC 5321, 1123, 2673, 4291,
  // 3986, 4122; all of them in their usual forms.
  static const std::unordered_map<std::string, const char*> patterns = {
      {"date", "^" RF_DATE "$"},
      {"time", "^" RF_TIME "$"},
      {"date-time", "^" RF_DATE "T" RF_TIME "$"},
      {"duration",
       "^P(?:\\d{1,9}W|(?:\\d{1,9}D|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?)(?:T(?:\\d{1,9}H(?:"
       "\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S))?|T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,"
       "9}M(?:\\d{1,9}S)?|\\d{1,9}S))$"},
      {"email", "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,32}(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,15}){0,2}@" RF_HOST "$"},
      {"hostname", "^" RF_HOST "$"},
      {"ipv4", "^" RF_BYTE "(?:\\." RF_BYTE "){3}$"},
      {"ipv6", "^(?:(?:" RF_GROUP ":){7}" RF_GROUP "|(?:" RF_GROUP ":){1,7}:|(?:" RF_GROUP ":){1,6}:" RF_GROUP
               "|(?:" RF_GROUP ":){1,5}(?::" RF_GROUP "){1,2}|(?:" RF_GROUP ":){1,4}(?::" RF_GROUP "){1,3}|(?:" RF_GROUP
               ":){1,3}(?::" RF_GROUP "){1,4}|(?:" RF_GROUP ":){1,2}(?::" RF_GROUP "){1,5}|" RF_GROUP ":(?::" RF_GROUP
               "){1,6}|:(?::" RF_GROUP "){1,7}|::)$"},
      {"uri",
       "^[A-Za-z][A-Za-z0-9+.-]{0,15}://" RF_HOST
       "(?::\\d{1,5})?(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/"
       "?-]|%[0-9A-Fa-f]{2})*)?(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$"},
      {"uuid", "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"}};
  const auto found = patterns.find(name);
  return found == patterns.end() ? nullptr : found->second;
}

}  // namespace rf::grammar
