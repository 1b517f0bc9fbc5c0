# 民眾和承辦人走過每項服務時看到的話

applications-paused = 這項服務的頁面暫時打不開，您的申請都還在。急件請撥 1999。
outcome-drawn-good = 符合資格
outcome-drawn-good-text = 已經參加抽籤或排序。能不能取得名額，看這一頁的梯次結果。
my-data-older = 看更早的紀錄
my-data-newest = 回到最新的紀錄
use-round = 辦理抽籤和名額
use-audit = 稽核資料的使用
use-other = 使用您的資料
office-amounts-count = 還沒核對公告的金額（{ $n } 筆）
