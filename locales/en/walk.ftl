# What residents and officers read as they walk through the services

applications-paused = The pages of this service can’t be opened for the moment; your application is still there. If it is urgent, dial 1999.
outcome-drawn-good = You qualify
outcome-drawn-good-text = You take part in the draw or ranking. Whether you have a place is said with the round on this page.
my-data-older = Earlier entries
my-data-newest = Back to the newest entries
use-round = worked on a draw and its places
use-audit = audited the use of data
use-other = used your data
office-amounts-count = Amounts not yet compared with their announcement ({ $n })
