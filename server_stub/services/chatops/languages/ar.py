"""What the assistant says in Arabic: one line each."""

TEXTS = """\
one.deal: صفقة
one.contact: جهة اتصال
one.lead: عميل محتمل
one.account: حساب
one.task: مهمة
one.event: حدث
one.call: مكالمة
one.note: ملاحظة
one.email: رسالة
one.activity: نشاط
one.user: مستخدم
many.deal: صفقات
many.contact: جهات اتصال
many.lead: عملاء محتملون
many.account: حسابات
many.task: مهام
many.event: أحداث
many.call: مكالمات
many.note: ملاحظات
many.email: رسائل
many.activity: أنشطة
many.user: مستخدمون
counted: {total} {noun}
listed: {total} {noun}: {names}
more: {names} و{rest} أخرى
sum: مجموع {field} لـ {total} {noun} هو {value} {unit}
average: متوسط {field} لـ {total} {noun} هو {value} {unit}
converted: {told}، محوّلاً إلى {currency}، عملة الشركة
nothing: لم يُعثر على شيء لـ {what}
which: عدة سجلات تطابق {what}: أيها تقصد؟
no_it: لا توجد إجابة بعد يمكن أن تعنيها {what}
unknown: لم أفهم ذلك. أقرب الأوامر هي {names}
no_word: {word} لا يعني شيئاً لـ {noun}
no_value: لا يوجد {one} بالقيمة {word}
no_field: لا يوجد حقل {word} في {noun}
no_number: {word} في {noun} ليس رقماً
no_user: لا يوجد مستخدم {word}
no_time: {word} ليس وقتاً
wrong_kind: {name} لا يناسب هذا الأمر
usage: يُكتب هذا الأمر هكذا: {usage}
unchanged: لن يتغير شيء
plan: سيؤدي هذا إلى {what}. هل تؤكد؟
create: إنشاء {one} {name}
update: تغيير {names}: {values}
done: تم: {what}
cancelled: أُلغي: لم يُكتب شيء
help: هذه هي الأوامر: {names}
summary: {name}: {facts}
happened: {count} أنشطة، آخرها: {names}
quiet: لا توجد أنشطة بعد
command.list: سرد السجلات
command.show: عرض سجل واحد
command.count: عدّ السجلات
command.sum: جمع حقل من السجلات
command.create: إنشاء سجل
command.set: تغيير حقول سجل
command.move: نقل صفقة إلى مرحلة
command.done: إنجاز مهمة
command.assign: إسناد سجل إلى مستخدم
command.log: تسجيل مكالمة أو ملاحظة
command.schedule: جدولة اجتماع مع جهة اتصال
command.summarize: تلخيص سجل وما حدث
command.help: سرد الأوامر
"""
FILLERS = """
في من على ما هي هو كل كم اعرض اظهر لي عن مع مجموع متوسط قيمة التي الذي
"""
"""The words of a question that say nothing of which records are meant."""
