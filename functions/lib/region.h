/*
 * Regions of the United States, as an SQL expression: platform metrics filter and group by them.
 */
#ifndef LIB_REGION_H
#define LIB_REGION_H

#define REGION_NORTHEAST                                                                                       \
    "'CT','CONNECTICUT','ME','MAINE','MA','MASSACHUSETTS','NH','NEW HAMPSHIRE','NJ','NEW JERSEY','NY',"        \
    "'NEW YORK','PA','PENNSYLVANIA','RI','RHODE ISLAND','VT','VERMONT'"
#define REGION_SOUTHEAST                                                                                       \
    "'AL','ALABAMA','AR','ARKANSAS','DC','DISTRICT OF COLUMBIA','DE','DELAWARE','FL','FLORIDA','GA',"          \
    "'GEORGIA','KY','KENTUCKY','LA','LOUISIANA','MD','MARYLAND','MS','MISSISSIPPI','NC','NORTH CAROLINA',"     \
    "'SC','SOUTH CAROLINA','TN','TENNESSEE','VA','VIRGINIA','WV','WEST VIRGINIA'"
#define REGION_MIDWEST                                                                                         \
    "'IL','ILLINOIS','IN','INDIANA','IA','IOWA','KS','KANSAS','MI','MICHIGAN','MN','MINNESOTA','MO',"          \
    "'MISSOURI','NE','NEBRASKA','ND','NORTH DAKOTA','OH','OHIO','SD','SOUTH DAKOTA','WI','WISCONSIN'"
#define REGION_SOUTHWEST "'AZ','ARIZONA','NM','NEW MEXICO','OK','OKLAHOMA','TX','TEXAS'"
#define REGION_WEST                                                                                            \
    "'AK','ALASKA','CA','CALIFORNIA','CO','COLORADO','HI','HAWAII','ID','IDAHO','MT','MONTANA','NV',"          \
    "'NEVADA','OR','OREGON','UT','UTAH','WA','WASHINGTON','WY','WYOMING'"

/* state: an SQL expression, two letters or a full name in any case. */
#define REGION_OF(state)                                                                                       \
    "CASE WHEN upper(btrim(" state ")) IN (" REGION_NORTHEAST ") THEN 'Northeast'"                             \
    " WHEN upper(btrim(" state ")) IN (" REGION_SOUTHEAST ") THEN 'Southeast'"                                 \
    " WHEN upper(btrim(" state ")) IN (" REGION_MIDWEST ") THEN 'Midwest'"                                     \
    " WHEN upper(btrim(" state ")) IN (" REGION_SOUTHWEST ") THEN 'Southwest'"                                 \
    " WHEN upper(btrim(" state ")) IN (" REGION_WEST ") THEN 'West' ELSE 'Unknown' END"

#endif
