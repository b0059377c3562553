"""Words of mail clients in many languages: how they name who wrote, the headers of what they quote, themselves."""

from __future__ import annotations

import re

WROTE = (
    "wrote", "writes", "a écrit", "schrieb", "schreibt", "escribió", "va escriure", "ha scritto", "scrive",
    "escreveu", "schreef", "skrev", "skreiv", "kirjoitti", "napisał", "napisała", "napisał\\(a\\)", "pisze",
    "napsal", "napsala", "napsal\\(a\\)", "napísal", "napísala", "napísal\\(a\\)", "írta", "ezt írta",
    "a scris", "написал", "написала", "написал\\(а\\)", "пишет", "писал", "пише", "написав", "написа",
    "έγραψε", "yazdı", "yazmış", "şunu yazdı", "كتب", "כתב", "כתבה", "כתב/ה", "đã viết", "viết", "写道",
    "寫道", "さんは書きました", "のメール", "님이 작성", "작성", "เขียน", "menulis", "rašė", "rakstīja",
    "kirjutas", "je napisao", "je napisala", "napisao je", "napisao\\(la\\) je", "skrifaði", "scripsit",
)  # fmt: skip
FROM = (
    "From", "De", "Von", "Da", "Van", "Från", "Fra", "Lähettäjä", "Od", "От", "От кого", "Від", "Από",
    "Kimden", "Gönderen", "Feladó", "De la", "Từ", "发件人", "寄件者", "寄件人", "差出人", "보낸 사람", "من",
    "מאת", "Dari", "Expéditeur", "Remitente", "Absender", "Mittente", "จาก", "Saatja", "Nuo", "No", "Šalje",
)  # fmt: skip
OTHER = (
    "Sent", "Date", "Envoyé", "Envoyé le", "Gesendet", "Datum", "Enviado", "Enviado el", "Enviada em", "Fecha",
    "Inviato", "Data", "Verzonden", "Skickat", "Sendt", "Dato", "Lähetetty", "Päivämäärä", "Wysłano",
    "Odesláno", "Odoslané", "Dátum", "Elküldve", "Trimis", "Отправлено", "Дата", "Надіслано", "Изпратено",
    "Στάλθηκε", "Ημερομηνία", "Gönderilme", "Gönderildi", "Tarih", "发送时间", "日期", "傳送時間", "寄件日期",
    "送信日時", "日付", "보낸 날짜", "날짜", "تم الإرسال", "التاريخ", "נשלח", "תאריך", "Ngày", "Đã gửi",
    "Tanggal", "To", "À", "An", "Para", "A", "Aan", "Till", "Til", "Vastaanottaja", "Do", "Komu", "Címzett",
    "Către", "Кому", "До", "Προς", "Kime", "Alıcı", "收件人", "收件者", "宛先", "받는 사람", "إلى", "אל",
    "Đến", "Kepada", "Cc", "CC", "Kopie", "Copie", "Copia", "Cópia", "Kopia", "Копия", "抄送", "副本", "참조",
    "Subject", "Objet", "Betreff", "Asunto", "Oggetto", "Assunto", "Onderwerp", "Ämne", "Emne", "Aihe",
    "Temat", "Předmět", "Predmet", "Tárgy", "Subiect", "Тема", "Θέμα", "Konu", "主题", "主旨", "件名", "제목",
    "الموضوع", "נושא", "Chủ đề", "Assumpte", "Répondre à", "Reply-To", "Importance", "Priority",
)  # fmt: skip
ORIGINAL = (
    "Original Message", "Original message", "Message d'origine", "Message d’origine", "Message original",
    "Message initial", "Ursprüngliche Nachricht", "Ursprungliche Nachricht", "Originalnachricht",
    "Mensaje original", "Messaggio originale", "Mensagem original", "Mensagem Original",
    "Oorspronkelijk bericht", "Originalmeddelande", "Ursprungligt meddelande", "Oprindelig meddelelse",
    "Opprinnelig melding", "Alkuperäinen viesti", "Wiadomość oryginalna", "Oryginalna wiadomość",
    "Původní zpráva", "Pôvodná správa", "Eredeti üzenet", "Mesaj original", "Исходное сообщение",
    "Оригинальное сообщение", "Пересылаемое сообщение", "Αρχικό μήνυμα", "Orijinal Mesaj", "Özgün İleti",
    "原始邮件", "原始郵件", "元のメッセージ", "원본 메시지", "원본 메일", "الرسالة الأصلية", "הודעה מקורית",
    "Thư gốc", "Missatge original", "Reply message",
)  # fmt: skip
SENT_FROM = (
    r"sent from (?:my|mail for|outlook|yahoo|samsung|proton|the |gmx|web\.de|\S+ mobile)",
    r"sent (?:via|with) \S+", r"get outlook for", r"envoyé (?:de|depuis|à partir de|par|avec) ",
    r"télécharge[zr] outlook", r"obtenir outlook", r"gesendet (?:von|mit|aus) ",
    r"von meinem .{2,30} gesendet", r"diese nachricht wurde von .* gesendet", r"holen sie sich outlook",
    r"outlook für .* herunterladen", r"enviado (?:desde|do|pelo|con|a partir d) ?", r"obtener outlook",
    r"obter o outlook", r"inviato (?:da|dal|con) ", r"scarica outlook", r"verzonden (?:vanaf|vanuit|met) ",
    r"verstuurd vanaf", r"outlook voor .* downloaden", r"skickat från ", r"hämta outlook", r"sendt fra ",
    r"hent outlook", r"lähetetty ", r"hanki outlook", r"wysłane z ", r"wysłano z ", r"pobierz program outlook",
    r"odesláno z", r"odoslané z", r"az? .{2,30} küldve", r"elküldve .{2,30}", r"trimis (?:de pe|din) ",
    r"отправлено (?:с|из) ", r"отправлен[оа]? с", r"надіслано з ", r"изпратено от ", r"στάλθηκε από ",
    r"αποστολή από ", r".{2,30}(?:'den|’den|'dan|’dan|['’]imden) gönderildi", r"发自我的", r"从我的.*发送",
    r"從我的.*傳送", r"寄自我的", r".*から送信", r".*에서 보냄", r"나의 .*에서 보냄", r"أُ?رسل من",
    r"تم الإرسال من", r"נשלח מה", r"đã gửi từ ", r"gửi từ ", r"dikirim dari ", r"enviat des ",
)  # fmt: skip


def _any(words: tuple[str, ...], *, plain: bool) -> str:
    ordered = sorted(set(words), key=len, reverse=True)
    return "|".join(re.escape(w) if plain else w for w in ordered)


WROTE_RE = re.compile(rf"(?:^|[\s,;>)\]\"”»'’]|\d)(?:{_any(WROTE, plain=False)})(?=[\s:：,(<]|님|$)", re.I)
FROM_RE = re.compile(rf"[*_\s]*(?:{_any(FROM, plain=True)})[*_]*\s?[:：]", re.I)
OTHER_RE = re.compile(rf"[*_\s]*(?:{_any(OTHER, plain=True)})[*_]*\s?[:：]", re.I)
ORIGINAL_RE = re.compile(rf"[-_=\s]{{2,}}\s*(?:{_any(ORIGINAL, plain=True)})\s*[-_=\s]{{2,}}", re.I)
SENT_FROM_RE = re.compile(rf"[-_\s]{{0,4}}(?:{_any(SENT_FROM, plain=False)})", re.I)
